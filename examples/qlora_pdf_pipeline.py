"""QLoRA fine-tune on PDFs from S3: the documents' own text adapts a quantised language model.

The PDFs are read by the shared `read_pdfs` sub-pipeline, packed into training samples, and a LoRA adapter is trained on
top of the 4-bit base model. The adapter is kept only if it lowers the perplexity on documents it never saw.
"""
from typing import List, NamedTuple

import shared_components as shared
from kfp import dsl
from kfp import kubernetes
from kfp.dsl import Dataset, Input, Markdown, Metrics, Model, Output

TRAINING_PACKAGES = [
    "transformers==4.47.1",
    "accelerate==1.2.1",
    "bitsandbytes==0.45.0",
    "peft==0.14.0",
    "datasets==3.2.0",
    "sentencepiece==0.2.0",
]


@dsl.component(base_image=shared.PYTHON_IMAGE)
def build_dataset(
    pages: Input[Dataset],
    held_out_share: float,
    min_words: int,
    seed: int,
    train: Output[Dataset],
    held_out: Output[Dataset],
) -> NamedTuple("Counts", [("train_samples", int), ("held_out_samples", int)]):
    """Joins the pages of each document into passages and splits by document, so that no document is on both sides.

    Args:
        pages: JSON lines with `source`, `page` and `text`.
        held_out_share: Share of the documents to hold out.
        min_words: Shorter documents are left out.
        seed: Decides which documents are held out.
        train: JSON lines with `text`.
        held_out: JSON lines with `text`.
    """
    import hashlib
    import json
    from collections import namedtuple

    documents = {}
    with open(pages.path, encoding="utf-8") as source:
        for line in source:
            page = json.loads(line)
            documents.setdefault(page["source"], []).append((page["page"], page["text"]))
    counts = {"train": 0, "held_out": 0}
    seen = set()
    with open(train.path, "w", encoding="utf-8") as kept, open(held_out.path, "w", encoding="utf-8") as aside:
        for name, parts in sorted(documents.items()):
            text = "\n\n".join(part for _, part in sorted(parts))
            digest = hashlib.sha256(text.encode()).hexdigest()
            if len(text.split()) < min_words or digest in seen:
                continue
            seen.add(digest)
            # by name, not by shuffling: a document stays on its side when others are added
            bucket = int(hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
            side, out = ("held_out", aside) if bucket < held_out_share else ("train", kept)
            out.write(json.dumps({"text": text}) + "\n")
            counts[side] += 1
    if not all(counts.values()):
        raise RuntimeError(f"too few documents to split: {counts}")
    return namedtuple("Counts", ["train_samples", "held_out_samples"])(counts["train"], counts["held_out"])


@dsl.component(base_image=shared.TORCH_IMAGE, packages_to_install=[*TRAINING_PACKAGES, "trl==0.13.0"])
def train_qlora(
    train: Input[Dataset],
    base_model: str,
    rank: int,
    alpha: int,
    dropout: float,
    target_modules: List[str],
    sequence_length: int,
    epochs: float,
    learning_rate: float,
    batch_size: int,
    gradient_accumulation: int,
    seed: int,
    adapter: Output[Model],
    metrics: Output[Metrics],
):
    """Trains a LoRA adapter on a base model in 4-bit NF4, with packed sequences and a paged optimiser.

    Args:
        train: JSON lines with `text`.
        base_model: Hugging Face model.
        rank: LoRA rank.
        alpha: LoRA alpha.
        dropout: LoRA dropout.
        target_modules: Linear layers to adapt.
        sequence_length: Tokens per packed sequence.
        epochs: Passes over the data.
        learning_rate: Peak of the cosine schedule.
        batch_size: Sequences per step and device.
        gradient_accumulation: Steps per update.
        seed: Seed of everything random.
        adapter: The PEFT adapter, with the tokenizer.
        metrics: Training loss and run time.
    """
    import torch
    from datasets import load_dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, set_seed
    from trl import SFTConfig, SFTTrainer

    set_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(base_model)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    bf16 = torch.cuda.is_bf16_supported()
    model = AutoModelForCausalLM.from_pretrained(
        base_model,
        quantization_config=BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16 if bf16 else torch.float16,
        ),
        device_map={"": 0},
        torch_dtype=torch.bfloat16 if bf16 else torch.float16,
    )
    model.config.use_cache = False
    trainer = SFTTrainer(  # prepares the quantised model for training itself
        model=model,
        processing_class=tokenizer,
        train_dataset=load_dataset("json", data_files=train.path, split="train"),
        peft_config=LoraConfig(
            r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=target_modules, task_type="CAUSAL_LM"),
        args=SFTConfig(
            output_dir="/scratch/checkpoints",
            dataset_text_field="text",
            packing=True,
            max_seq_length=sequence_length,
            num_train_epochs=epochs,
            learning_rate=learning_rate,
            lr_scheduler_type="cosine",
            warmup_ratio=0.03,
            per_device_train_batch_size=batch_size,
            gradient_accumulation_steps=gradient_accumulation,
            gradient_checkpointing=True,
            gradient_checkpointing_kwargs={"use_reentrant": False},
            optim="paged_adamw_8bit",
            bf16=bf16,
            fp16=not bf16,
            logging_steps=10,
            save_strategy="no",
            report_to="none",
            seed=seed,
        ),
    )
    result = trainer.train()
    trainer.save_model(adapter.path)
    tokenizer.save_pretrained(adapter.path)
    adapter.metadata["base_model"] = base_model
    adapter.metadata["rank"] = rank
    metrics.log_metric("train_loss", float(result.training_loss))
    metrics.log_metric("train_minutes", result.metrics["train_runtime"] / 60)
    metrics.log_metric("peak_gib", torch.cuda.max_memory_allocated() / 2**30)


@dsl.component(base_image=shared.TORCH_IMAGE, packages_to_install=TRAINING_PACKAGES)
def measure_perplexity(
    held_out: Input[Dataset],
    adapter: Input[Model],
    base_model: str,
    sequence_length: int,
    metrics: Output[Metrics],
    report: Output[Markdown],
) -> float:
    """Perplexity of the held-out documents with the adapter switched off and on.

    Args:
        held_out: JSON lines with `text`.
        adapter: The PEFT adapter.
        base_model: The model it was trained on.
        sequence_length: Tokens per window.
        metrics: Both perplexities.
        report: The same for people.

    Returns:
        By which share the adapter lowers the perplexity.
    """
    import json
    import math

    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

    tokenizer = AutoTokenizer.from_pretrained(adapter.path)
    base = AutoModelForCausalLM.from_pretrained(
        base_model,
        quantization_config=BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.float16),
        device_map={"": 0},
    )
    model = PeftModel.from_pretrained(base, adapter.path).eval()
    with open(held_out.path, encoding="utf-8") as source:
        texts = [json.loads(line)["text"] for line in source]

    @torch.inference_mode()
    def perplexity() -> float:
        loss, tokens = 0.0, 0
        for text in texts:
            ids = tokenizer(text, return_tensors="pt").input_ids.to(model.device)
            for window in ids.split(sequence_length, dim=1):
                if window.shape[1] > 1:
                    loss += model(window, labels=window).loss.item() * (window.shape[1] - 1)
                    tokens += window.shape[1] - 1
        return math.exp(loss / tokens)

    adapted = perplexity()
    with model.disable_adapter():
        plain = perplexity()
    gain = 1 - adapted / plain
    metrics.log_metric("perplexity_base", plain)
    metrics.log_metric("perplexity_adapter", adapted)
    with open(report.path, "w", encoding="utf-8") as out:
        out.write(f"# Held-out perplexity\n\n| | |\n|---|---:|\n| {base_model} | {plain:.3f} |\n"
                  f"| with adapter | {adapted:.3f} |\n| lower by | {gain:.1%} |\n")
    return gain


@dsl.component(base_image=shared.PYTHON_IMAGE, packages_to_install=["boto3==1.35.99"])
def publish_adapter(adapter: Input[Model], bucket: str, prefix: str, version: str) -> str:
    """Uploads the adapter's files, and `LATEST` last, so that a reader never sees half an adapter.

    Args:
        adapter: The PEFT adapter.
        bucket: Bucket of the models.
        prefix: Folder of this model.
        version: Name of the version's folder.

    Returns:
        Address of the version.
    """
    import pathlib

    import boto3

    s3 = boto3.client("s3")
    root = pathlib.Path(adapter.path)
    base = f"{prefix.rstrip('/')}/{version}"
    for file in sorted(path for path in root.rglob("*") if path.is_file()):
        s3.upload_file(str(file), bucket, f"{base}/{file.relative_to(root).as_posix()}")
    s3.put_object(Bucket=bucket, Key=f"{prefix.rstrip('/')}/LATEST", Body=version.encode())
    return f"s3://{bucket}/{base}"


@dsl.pipeline(name="qlora-pdf", description="QLoRA fine-tune of a language model on PDFs from the object store.")
def qlora_pdf(
    bucket: str = "documents",
    prefix: str = "manuals/",
    base_model: str = "mistralai/Mistral-7B-v0.3",
    lora_rank: int = 16,
    lora_alpha: int = 32,
    lora_dropout: float = 0.05,
    target_modules: List[str] = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    sequence_length: int = 2048,
    epochs: float = 2.0,
    learning_rate: float = 2e-4,
    batch_size: int = 2,
    gradient_accumulation: int = 8,
    held_out_share: float = 0.1,
    min_gain: float = 0.05,
    seed: int = 42,
    model_bucket: str = "models",
    model_prefix: str = "adapters/manuals/",
    notify_url: str = "http://ntfy.observability.svc.cluster.local/ml-runs",
):
    done = shared.notify(pipeline="qlora-pdf", topic_url=notify_url)
    with dsl.ExitHandler(done, name="fine-tune"):
        read = shared.read_pdfs(bucket=bucket, prefix=prefix, shard_size=25)
        data = build_dataset(pages=read.output, held_out_share=held_out_share, min_words=200, seed=seed)
        training = train_qlora(
            train=data.outputs["train"],
            base_model=base_model,
            rank=lora_rank,
            alpha=lora_alpha,
            dropout=lora_dropout,
            target_modules=target_modules,
            sequence_length=sequence_length,
            epochs=epochs,
            learning_rate=learning_rate,
            batch_size=batch_size,
            gradient_accumulation=gradient_accumulation,
            seed=seed,
        )
        quality = measure_perplexity(
            held_out=data.outputs["held_out"],
            adapter=training.outputs["adapter"],
            base_model=base_model,
            sequence_length=sequence_length,
        )
        for task in (training, quality):
            shared.use_gpu(task, cpu="8", memory="48Gi")
            kubernetes.use_secret_as_env(task, "huggingface", {"token": "HF_TOKEN"}, optional=True)
            kubernetes.mount_pvc(task, pvc_name="huggingface-cache", mount_path="/root/.cache/huggingface")
        kubernetes.add_ephemeral_volume(
            training, volume_name="scratch", mount_path="/scratch", access_modes=["ReadWriteOnce"], size="60Gi")
        kubernetes.set_timeout(training, 24 * 3600)
        with dsl.If(quality.outputs["Output"] >= min_gain, name="adapter-helps"):
            shared.use_s3(publish_adapter(
                adapter=training.outputs["adapter"],
                bucket=model_bucket,
                prefix=model_prefix,
                version=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
            )).set_retry(3, backoff_duration="60s")
