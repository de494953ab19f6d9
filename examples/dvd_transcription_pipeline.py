"""DVD audio to transcript: ripped title sets in the object store become text and subtitles with Whisper.

A rip is a folder such as `discs/holiday-1998/VIDEO_TS/` with unencrypted VOB files. Every title set is joined, its audio
track is made into 16 kHz mono by ffmpeg, and Whisper transcribes it on a GPU, one title after the other on each GPU.
"""
from typing import List

from kfp import dsl
from kfp import kubernetes
from kfp.dsl import Artifact, Dataset, Input, Markdown, Metrics, Output
from shared_components import PYTHON_IMAGE, TORCH_IMAGE, notify, use_gpu, use_s3

BOTO3 = "boto3==1.35.99"


@dsl.component(base_image=PYTHON_IMAGE, packages_to_install=[BOTO3])
def find_titles(bucket: str, disc_prefix: str, min_megabytes: int) -> List[str]:
    """Finds the title sets of a disc that are long enough to be more than a menu or a trailer.

    Args:
        bucket: Bucket of the rips.
        disc_prefix: Folder of one disc.
        min_megabytes: Smaller title sets are left out.

    Returns:
        Their key prefixes, such as `discs/holiday-1998/VIDEO_TS/VTS_01`.
    """
    import re
    from collections import Counter

    import boto3

    sizes = Counter()
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=disc_prefix)
    for page in pages:
        for entry in page.get("Contents", []):
            match = re.search(r"^(.*VTS_\d\d)_([1-9])\.VOB$", entry["Key"], re.IGNORECASE)  # _0 is the menu
            if match:
                sizes[match[1]] += entry["Size"]
    titles = sorted(title for title, size in sizes.items() if size >= min_megabytes << 20)
    if not titles:
        raise RuntimeError(f"no title set of {min_megabytes} MB or more under s3://{bucket}/{disc_prefix}")
    return titles


@dsl.component(base_image=PYTHON_IMAGE, packages_to_install=[BOTO3])
def join_title(bucket: str, title: str, video: Output[Artifact]):
    """Joins the parts of a title set; MPEG program streams can simply be concatenated.

    Args:
        bucket: Bucket of the rips.
        title: Key prefix of the title set.
        video: The MPEG-2 program stream.
    """
    import shutil

    import boto3

    s3 = boto3.client("s3")
    with open(video.path, "wb") as out:
        for part in range(1, 10):
            try:
                body = s3.get_object(Bucket=bucket, Key=f"{title}_{part}.VOB")["Body"]
            except s3.exceptions.NoSuchKey:
                break
            shutil.copyfileobj(body, out, 8 << 20)
        if not out.tell():
            raise RuntimeError(f"s3://{bucket}/{title}_1.VOB is missing")
    video.metadata["title"] = title


@dsl.container_component
def extract_audio(video: Input[Artifact], track: int, audio_filter: str, audio: Output[Dataset]):
    """One audio track as 16 kHz mono PCM.

    Args:
        video: The program stream.
        track: Index of the audio track.
        audio_filter: ffmpeg filter graph.
        audio: WAV file.
    """
    return dsl.ContainerSpec(
        image="jrottenberg/ffmpeg:6.1-ubuntu",
        command=["ffmpeg", "-hide_banner", "-nostdin", "-y"],
        args=[
            "-fflags", "+genpts", "-i", video.path,
            "-map", dsl.ConcatPlaceholder(["0:a:", track]),
            "-af", audio_filter,
            "-ac", "1", "-ar", "16000", "-c:a", "pcm_s16le", "-f", "wav", audio.path,
        ],
    )


@dsl.component(base_image=TORCH_IMAGE, packages_to_install=["openai-whisper==20250625", "numpy==1.26.4"])
def transcribe(
    audio: Input[Dataset],
    title: str,
    model: str,
    language: str,
    initial_prompt: str,
    transcript: Output[Dataset],
    metrics: Output[Metrics],
) -> float:
    """Transcribes one title with Whisper.

    Args:
        audio: 16 kHz mono WAV.
        title: Key prefix of the title set.
        model: Whisper model, such as `large-v3` or `turbo`.
        language: Two letters, or empty to detect it.
        initial_prompt: Names and words to expect.
        transcript: JSON with `title`, `language` and `segments`.
        metrics: Length, speed and mean log probability.

    Returns:
        Mean log probability of the segments, weighted by their length.
    """
    import json
    import time
    import wave

    import numpy as np
    import torch
    import whisper

    with wave.open(audio.path, "rb") as source:
        if (source.getframerate(), source.getnchannels(), source.getsampwidth()) != (16000, 1, 2):
            raise ValueError("expected 16 kHz mono 16-bit audio")
        samples = np.frombuffer(source.readframes(source.getnframes()), np.int16).astype(np.float32) / 32768
    device = "cuda" if torch.cuda.is_available() else "cpu"
    engine = whisper.load_model(model, device=device, download_root="/models")
    started = time.monotonic()
    result = engine.transcribe(
        samples,
        language=language or None,
        initial_prompt=initial_prompt or None,
        condition_on_previous_text=False,  # long discs otherwise end in loops
        fp16=device == "cuda",
        verbose=False,
    )
    elapsed = time.monotonic() - started
    kept = [
        {"start": s["start"], "end": s["end"], "text": s["text"].strip(), "logprob": s["avg_logprob"]}
        for s in result["segments"]
        if s["text"].strip() and not (s["no_speech_prob"] > 0.6 and s["avg_logprob"] < -1)
    ]
    spoken = sum(s["end"] - s["start"] for s in kept)
    confidence = sum(s["logprob"] * (s["end"] - s["start"]) for s in kept) / spoken if spoken else 0.0
    with open(transcript.path, "w", encoding="utf-8") as out:
        json.dump({"title": title, "language": result["language"], "segments": kept}, out, ensure_ascii=False)
    metrics.log_metric("minutes", len(samples) / 16000 / 60)
    metrics.log_metric("times_real_time", len(samples) / 16000 / elapsed)
    metrics.log_metric("mean_logprob", confidence)
    return float(confidence)


@dsl.component(base_image=PYTHON_IMAGE, packages_to_install=[BOTO3])
def publish(
    transcripts: Input[List[Dataset]],
    confidences: List[float],
    min_confidence: float,
    bucket: str,
    prefix: str,
    summary: Output[Markdown],
) -> int:
    """Writes text and SubRip subtitles of every title to the object store.

    Args:
        transcripts: One transcript per title.
        confidences: Their mean log probabilities, in the same order.
        min_confidence: Titles below are marked for a person to review.
        bucket: Bucket of the transcripts.
        prefix: Folder to write to.
        summary: What was written.

    Returns:
        How many titles need review.
    """
    import json

    import boto3

    def stamp(seconds: float) -> str:
        milliseconds = round(seconds * 1000)
        minutes, milliseconds = divmod(milliseconds, 60_000)
        return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02},{milliseconds % 1000:03}"

    s3 = boto3.client("s3")
    rows, review = [], 0
    for artifact, confidence in zip(transcripts, confidences, strict=True):
        with open(artifact.path, encoding="utf-8") as source:
            transcript = json.load(source)
        segments = transcript["segments"]
        subtitles = "\n".join(
            f"{number}\n{stamp(s['start'])} --> {stamp(s['end'])}\n{s['text']}\n"
            for number, s in enumerate(segments, start=1)
        )
        text = "\n".join(s["text"] for s in segments) + "\n"
        name = transcript["title"].rsplit("/", 1)[-1]
        for suffix, body, kind in (("srt", subtitles, "application/x-subrip"), ("txt", text, "text/plain")):
            s3.put_object(Bucket=bucket, Key=f"{prefix.rstrip('/')}/{name}.{suffix}", Body=body.encode(),
                          ContentType=f"{kind}; charset=utf-8")
        doubtful = confidence < min_confidence
        review += doubtful
        rows.append(f"| {name} | {transcript['language']} | {len(segments)} | {len(text.split())} | "
                    f"{confidence:.2f} | {'review' if doubtful else ''} |")
    with open(summary.path, "w", encoding="utf-8") as out:
        out.write("# Transcripts\n\n| Title | Language | Segments | Words | Log probability | |\n")
        out.write("|---|---|---:|---:|---:|---|\n" + "\n".join(rows) + "\n")
    return review


@dsl.pipeline(name="dvd-transcription", description="Transcribes the titles of a ripped DVD with Whisper.")
def dvd_transcription(
    bucket: str = "media",
    disc_prefix: str = "discs/holiday-1998/",
    output_prefix: str = "transcripts/holiday-1998/",
    min_megabytes: int = 100,
    audio_track: int = 0,
    audio_filter: str = "highpass=f=80,loudnorm=I=-16:TP=-1.5:LRA=11",
    whisper_model: str = "large-v3",
    language: str = "",
    initial_prompt: str = "",
    min_confidence: float = -0.6,
    model_cache_pvc: str = "whisper-models",
    notify_url: str = "http://ntfy.observability.svc.cluster.local/ml-runs",
):
    done = notify(pipeline="dvd-transcription", topic_url=notify_url)
    with dsl.ExitHandler(done, name="disc"):
        titles = use_s3(find_titles(bucket=bucket, disc_prefix=disc_prefix, min_megabytes=min_megabytes))
        titles.set_caching_options(False)
        with dsl.ParallelFor(titles.output, name="titles", parallelism=2) as title:
            joined = use_s3(join_title(bucket=bucket, title=title))
            joined.set_retry(3, backoff_duration="30s", backoff_factor=2.0)
            audio = extract_audio(video=joined.outputs["video"], track=audio_track, audio_filter=audio_filter)
            audio.set_cpu_limit("2").set_memory_limit("1Gi").set_display_name("extract audio (ffmpeg)")
            kubernetes.set_timeout(audio, 3600)
            text = transcribe(
                audio=audio.outputs["audio"],
                title=title,
                model=whisper_model,
                language=language,
                initial_prompt=initial_prompt,
            )
            use_gpu(text, cpu="4", memory="16Gi").set_retry(1)
            kubernetes.mount_pvc(text, pvc_name=model_cache_pvc, mount_path="/models")
        use_s3(publish(
            transcripts=dsl.Collected(text.outputs["transcript"]),
            confidences=dsl.Collected(text.outputs["Output"]),
            min_confidence=min_confidence,
            bucket=bucket,
            prefix=output_prefix,
        ))
