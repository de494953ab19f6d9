//! Room: doctor.
