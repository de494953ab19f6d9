"""Voice cloning: one speaker is extracted from recordings and a VITS model is trained on their voice.

Diarisation splits each recording by speaker, a reference sample says which of them is wanted, Whisper writes down what
they say, and VITS learns from the clips. The run refuses to start without a record of the speaker's consent.
"""
from typing import List, NamedTuple

from kfp import dsl
from kfp import kubernetes
from kfp.dsl import Dataset, HTML, Input, Metrics, Model, Output
from shared_components import PYTHON_IMAGE, TORCH_IMAGE, notify, use_gpu, use_s3

BOTO3 = "boto3==1.35.99"
DIARIZATION_PACKAGES = [BOTO3, "pyannote.audio==3.3.2", "soundfile==0.12.1", "librosa==0.10.2.post1", "numpy==1.26.4"]
VITS_IMAGE = "ghcr.io/coqui-ai/tts:v0.22.0"


@dsl.component(base_image=PYTHON_IMAGE, packages_to_install=[BOTO3])
def list_recordings(bucket: str, prefix: str, speaker: str) -> List[str]:
    """Checks that the speaker agreed, and lists the recordings.

    Args:
        bucket: Bucket of the recordings.
        prefix: Folder of the speaker, with `consent.json`, `reference.wav` and `recordings/`.
        speaker: Name that the consent must be for.

    Returns:
        Keys of the recordings.
    """
    import datetime
    import json

    import boto3

    s3 = boto3.client("s3")
    folder = prefix.rstrip("/")
    consent = json.loads(s3.get_object(Bucket=bucket, Key=f"{folder}/consent.json")["Body"].read())
    if consent["speaker"] != speaker or "voice-cloning" not in consent["purposes"]:
        raise PermissionError(f"the consent in {folder}/ does not cover voice cloning of {speaker}")
    if datetime.date.fromisoformat(consent["expires"]) < datetime.date.today():
        raise PermissionError(f"the consent of {speaker} expired on {consent['expires']}")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{folder}/recordings/")
    keys = sorted(
        entry["Key"]
        for page in pages
        for entry in page.get("Contents", [])
        if entry["Key"].lower().endswith((".wav", ".flac", ".mp3"))
    )
    if not keys:
        raise RuntimeError(f"no recordings under s3://{bucket}/{folder}/recordings/")
    return keys


@dsl.component(base_image=TORCH_IMAGE, packages_to_install=DIARIZATION_PACKAGES)
def extract_speaker(
    bucket: str,
    recording: str,
    reference: str,
    min_similarity: float,
    sample_rate: int,
    clips: Output[Dataset],
) -> float:
    """Cuts out what one speaker says, in clips of 2 to 12 seconds in which nobody else speaks.

    Args:
        bucket: Bucket of the recordings.
        recording: Key of the recording.
        reference: Key of a sample of the speaker.
        min_similarity: Cosine similarity from which a voice is the speaker's.
        sample_rate: Sample rate of the clips.
        clips: Folder of WAV files.

    Returns:
        Seconds of speech.
    """
    import os
    import pathlib
    import tempfile

    import boto3
    import librosa
    import numpy as np
    import soundfile
    import torch
    from pyannote.audio import Inference, Model, Pipeline

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    token = os.environ["HF_TOKEN"]
    work = pathlib.Path(tempfile.mkdtemp())
    s3 = boto3.client("s3")

    def load(key: str):
        path = work / pathlib.Path(key).name
        s3.download_file(bucket, key, str(path))
        samples, _ = librosa.load(path, sr=16000, mono=True)
        return path, {"waveform": torch.from_numpy(samples)[None], "sample_rate": 16000}

    def unit(vector):
        return vector / np.linalg.norm(vector)

    embedder = Inference(
        Model.from_pretrained("pyannote/wespeaker-voxceleb-resnet34-LM", use_auth_token=token),
        window="whole", device=device)
    wanted = unit(embedder(load(reference)[1]))
    diarizer = Pipeline.from_pretrained("pyannote/speaker-diarization-3.1", use_auth_token=token).to(device)
    path, audio = load(recording)
    diarization, voices = diarizer(audio, return_embeddings=True)

    target = pathlib.Path(clips.path)
    target.mkdir(parents=True, exist_ok=True)
    similarity = {label: float(unit(voice) @ wanted) for label, voice in zip(diarization.labels(), voices)}
    speaker = max(similarity, key=similarity.get, default=None)
    print(similarity)
    seconds, number = 0.0, 0
    if speaker is not None and similarity[speaker] >= min_similarity:
        full, _ = librosa.load(path, sr=sample_rate, mono=True)
        alone = diarization.label_timeline(speaker).extrude(diarization.get_overlap())
        for segment in alone:
            for start in np.arange(segment.start, segment.end, 12.0):
                end = min(start + 12.0, segment.end)
                if end - start < 2.0:
                    continue
                clip = full[int(start * sample_rate):int(end * sample_rate)]
                clip, _ = librosa.effects.trim(clip, top_db=40)
                clip = clip / max(np.abs(clip).max(), 1e-4) * 0.95
                soundfile.write(target / f"{path.stem}-{number:04}.wav", clip, sample_rate, subtype="PCM_16")
                seconds += len(clip) / sample_rate
                number += 1
    clips.metadata["clips"] = number
    return seconds


@dsl.component(base_image=TORCH_IMAGE, packages_to_install=["openai-whisper==20250625", "librosa==0.10.2.post1"])
def build_corpus(
    clips: Input[List[Dataset]],
    seconds: List[float],
    min_minutes: float,
    language: str,
    corpus: Output[Dataset],
) -> int:
    """Writes down every clip and lays the corpus out as LJSpeech does: `wavs/` and `metadata.csv`.

    Args:
        clips: Folders of WAV files.
        seconds: Seconds of speech in each folder.
        min_minutes: Fail with less speech than this.
        language: Language spoken.
        corpus: The corpus.

    Returns:
        How many clips it has.
    """
    import pathlib
    import shutil

    import librosa
    import whisper

    if sum(seconds) < min_minutes * 60:
        raise RuntimeError(f"{sum(seconds) / 60:.1f} minutes of speech, {min_minutes} are needed")
    root = pathlib.Path(corpus.path)
    (root / "wavs").mkdir(parents=True)
    engine = whisper.load_model("large-v3")
    rows = []
    for wav in sorted(path for folder in clips for path in pathlib.Path(folder.path).glob("*.wav")):
        samples, _ = librosa.load(wav, sr=16000, mono=True)
        result = engine.transcribe(samples, language=language)
        text = " ".join(result["text"].split()).replace("|", " ")
        segments = result["segments"]
        doubtful = not segments or min(s["avg_logprob"] for s in segments) < -0.8
        if doubtful or not 3 <= len(text.split()) <= 60:
            continue
        shutil.copy(wav, root / "wavs" / wav.name)
        rows.append(f"{wav.stem}|{text}|{text}")
    (root / "metadata.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return len(rows)


@dsl.component(base_image=VITS_IMAGE)
def train_vits(
    corpus: Input[Dataset],
    language: str,
    sample_rate: int,
    epochs: int,
    batch_size: int,
    mixed_precision: bool,
    voice: Output[Model],
):
    """Trains VITS end to end on the corpus.

    Args:
        corpus: LJSpeech layout.
        language: Language of the phonemes.
        sample_rate: Sample rate of the clips.
        epochs: Passes over the corpus.
        batch_size: Clips per step.
        mixed_precision: Train in half precision.
        voice: `model.pth` and `config.json`.
    """
    import pathlib
    import shutil

    from trainer import Trainer, TrainerArgs
    from TTS.tts.configs.shared_configs import BaseDatasetConfig
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.datasets import load_tts_samples
    from TTS.tts.models.vits import Vits, VitsAudioConfig
    from TTS.tts.utils.text.tokenizer import TTSTokenizer
    from TTS.utils.audio import AudioProcessor

    dataset = BaseDatasetConfig(formatter="ljspeech", meta_file_train="metadata.csv", path=corpus.path)
    config = VitsConfig(
        audio=VitsAudioConfig(sample_rate=sample_rate),
        run_name="voice",
        batch_size=batch_size,
        eval_batch_size=batch_size,
        num_loader_workers=4,
        num_eval_loader_workers=2,
        epochs=epochs,
        run_eval=True,
        test_delay_epochs=-1,
        use_phonemes=True,
        phonemizer="espeak",
        phoneme_language="en-us" if language == "en" else language,
        phoneme_cache_path="/scratch/phonemes",
        text_cleaner="multilingual_cleaners",
        mixed_precision=mixed_precision,
        save_step=5000,
        save_n_checkpoints=1,
        save_best_after=1000,
        output_path="/scratch/training",
        datasets=[dataset],
        cudnn_benchmark=False,
    )
    processor = AudioProcessor.init_from_config(config)
    tokenizer, config = TTSTokenizer.init_from_config(config)
    train_samples, eval_samples = load_tts_samples(dataset, eval_split=True, eval_split_size=0.02)
    trainer = Trainer(
        TrainerArgs(),
        config,
        "/scratch/training",
        model=Vits(config, processor, tokenizer, speaker_manager=None),
        train_samples=train_samples,
        eval_samples=eval_samples,
    )
    trainer.fit()

    run = pathlib.Path(trainer.output_path)
    best = sorted(run.glob("best_model_*.pth"), key=lambda path: path.stat().st_mtime)
    target = pathlib.Path(voice.path)
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(best[-1], target / "model.pth")
    shutil.copy(run / "config.json", target / "config.json")
    voice.metadata["sample_rate"] = sample_rate


@dsl.component(base_image=VITS_IMAGE, packages_to_install=["resemblyzer==0.1.4"])
def audition(
    voice: Input[Model],
    corpus: Input[Dataset],
    sentences: List[str],
    metrics: Output[Metrics],
    page: Output[HTML],
) -> NamedTuple("Audition", [("similarity", float), ("real_time_factor", float)]):
    """Lets the voice speak, and compares it with the speaker's own clips.

    Args:
        voice: The trained model.
        corpus: The speaker's clips.
        sentences: What to say.
        metrics: Speaker similarity and speed.
        page: The samples, to listen to.
    """
    import base64
    import html
    import pathlib
    import time
    from collections import namedtuple

    import numpy as np
    import torch
    from resemblyzer import preprocess_wav, VoiceEncoder
    from TTS.api import TTS

    model = pathlib.Path(voice.path)
    tts = TTS(model_path=str(model / "model.pth"), config_path=str(model / "config.json"))
    tts.to("cuda" if torch.cuda.is_available() else "cpu")
    encoder = VoiceEncoder("cpu")
    clips = sorted((pathlib.Path(corpus.path) / "wavs").glob("*.wav"))[:50]
    speaker = encoder.embed_speaker([preprocess_wav(clip) for clip in clips])
    similarity, spent, spoken, rows = [], 0.0, 0.0, []
    for number, sentence in enumerate(sentences):
        wav = f"/tmp/sample-{number}.wav"
        started = time.monotonic()
        tts.tts_to_file(text=sentence, file_path=wav)
        spent += time.monotonic() - started
        samples = preprocess_wav(pathlib.Path(wav))
        spoken += len(samples) / 16000
        similarity.append(float(np.dot(encoder.embed_utterance(samples), speaker)))
        data = base64.b64encode(pathlib.Path(wav).read_bytes()).decode()
        rows.append(f"<p>{html.escape(sentence)} ({similarity[-1]:.2f})<br>"
                    f"<audio controls src='data:audio/wav;base64,{data}'></audio></p>")
    with open(page.path, "w", encoding="utf-8") as out:
        out.write("<!doctype html><meta charset='utf-8'><h1>Audition</h1>" + "".join(rows))
    result = namedtuple("Audition", ["similarity", "real_time_factor"])(float(np.mean(similarity)), spent / spoken)
    metrics.log_metric("speaker_similarity", result.similarity)
    metrics.log_metric("real_time_factor", result.real_time_factor)
    return result


@dsl.component(base_image=PYTHON_IMAGE, packages_to_install=[BOTO3])
def publish_voice(voice: Input[Model], bucket: str, prefix: str, similarity: float):
    """Uploads the voice, with a label that says that it is synthetic.

    Args:
        voice: The trained model.
        bucket: Bucket of the voices.
        prefix: Folder of the voice.
        similarity: How close it is to the speaker.
    """
    import pathlib

    import boto3

    s3 = boto3.client("s3")
    for file in sorted(pathlib.Path(voice.path).iterdir()):
        s3.upload_file(
            str(file), bucket, f"{prefix.rstrip('/')}/{file.name}",
            ExtraArgs={"Metadata": {"synthetic-voice": "true", "speaker-similarity": f"{similarity:.3f}"}})


@dsl.pipeline(name="voice-cloning", description="Extracts a consenting speaker and trains VITS on their voice.")
def voice_cloning(
    speaker: str = "narrator",
    bucket: str = "voices",
    prefix: str = "speakers/narrator/",
    language: str = "en",
    sample_rate: int = 22050,
    speaker_similarity: float = 0.6,
    min_minutes: float = 20.0,
    epochs: int = 600,
    batch_size: int = 32,
    mixed_precision: bool = True,
    sentences: List[str] = [
        "The quick brown fox jumps over the lazy dog.",
        "She had your dark suit in greasy wash water all year.",
        "How far is it to the harbour, and when does the last boat leave?",
    ],
    min_audition_similarity: float = 0.75,
    voice_prefix: str = "trained/narrator/",
    notify_url: str = "http://ntfy.observability.svc.cluster.local/ml-runs",
):
    done = notify(pipeline="voice-cloning", topic_url=notify_url)
    with dsl.ExitHandler(done, name="clone"):
        scratch = kubernetes.CreatePVC(
            pvc_name_suffix="-voice", access_modes=["ReadWriteOnce"], size="100Gi", storage_class_name="standard")
        scratch.set_caching_options(False)
        recordings = use_s3(list_recordings(bucket=bucket, prefix=prefix, speaker=speaker)).set_caching_options(False)
        with dsl.ParallelFor(recordings.output, name="recordings", parallelism=2) as recording:
            extracted = use_s3(extract_speaker(
                bucket=bucket,
                recording=recording,
                reference=f"{prefix}reference.wav",
                min_similarity=speaker_similarity,
                sample_rate=sample_rate,
            ))
            use_gpu(extracted, cpu="4", memory="12Gi", shm="2Gi").set_retry(1)
            kubernetes.use_secret_as_env(extracted, "huggingface", {"token": "HF_TOKEN"})
        corpus = build_corpus(
            clips=dsl.Collected(extracted.outputs["clips"]),
            seconds=dsl.Collected(extracted.outputs["Output"]),
            min_minutes=min_minutes,
            language=language,
        )
        use_gpu(corpus, cpu="4", memory="16Gi")
        voice = train_vits(
            corpus=corpus.outputs["corpus"],
            language=language,
            sample_rate=sample_rate,
            epochs=epochs,
            batch_size=batch_size,
            mixed_precision=mixed_precision,
        )
        use_gpu(voice, cpu="8", memory="32Gi", shm="16Gi")
        kubernetes.mount_pvc(voice, pvc_name=scratch.outputs["name"], mount_path="/scratch")
        kubernetes.set_timeout(voice, 3 * 24 * 3600)
        # not in the exit task: a failed training leaves its checkpoints for a person to look at
        kubernetes.DeletePVC(pvc_name=scratch.outputs["name"]).after(voice).set_caching_options(False)
        heard = audition(
            voice=voice.outputs["voice"], corpus=corpus.outputs["corpus"], sentences=sentences)
        use_gpu(heard, cpu="4", memory="12Gi", shm="2Gi")
        with dsl.If(heard.outputs["similarity"] >= min_audition_similarity, name="sounds-alike"):
            use_s3(publish_voice(
                voice=voice.outputs["voice"],
                bucket=bucket,
                prefix=voice_prefix,
                similarity=heard.outputs["similarity"],
            ))
