"""RAG document processing: PDFs in the object store become a searchable vector collection, tracked in MLflow.

A new collection is built beside the one in use. Only when a retrieval probe finds enough of what it asks for does the
alias that the RAG service queries move to it; otherwise the new collection is dropped and the old one stays in use.
"""
from typing import NamedTuple

import shared_components as shared
from kfp import dsl
from kfp import kubernetes
from kfp.dsl import Dataset, Input, Markdown, Metrics, Output

EMBEDDING_PACKAGES = ["sentence-transformers==3.3.1", "transformers==4.47.1"]
QDRANT = "qdrant-client==1.12.1"


@dsl.component(base_image=shared.PYTHON_IMAGE, packages_to_install=["tokenizers==0.21.0"])
def chunk_pages(
    pages: Input[Dataset],
    tokenizer: str,
    chunk_tokens: int,
    overlap_tokens: int,
    chunks: Output[Dataset],
) -> int:
    """Cuts every page into overlapping windows of the embedding model's own tokens.

    Args:
        pages: JSON lines with `source`, `page` and `text`.
        tokenizer: Model whose tokenizer counts.
        chunk_tokens: Length of a window.
        overlap_tokens: Tokens that two neighbours share.
        chunks: JSON lines with `id`, `source`, `page` and `text`, without duplicates.

    Returns:
        How many chunks there are.
    """
    import json
    import uuid

    from tokenizers import Tokenizer

    if not 0 <= overlap_tokens < chunk_tokens:
        raise ValueError("overlap_tokens must be at least 0 and less than chunk_tokens")
    encoder = Tokenizer.from_pretrained(tokenizer)
    encoder.no_truncation()
    seen = set()
    with open(pages.path, encoding="utf-8") as source, open(chunks.path, "w", encoding="utf-8") as out:
        for line in source:
            page = json.loads(line)
            offsets = encoder.encode(page["text"], add_special_tokens=False).offsets
            step = chunk_tokens - overlap_tokens
            for start in range(0, max(len(offsets) - overlap_tokens, 1), step):
                window = offsets[start:start + chunk_tokens]
                if not window:
                    continue
                text = page["text"][window[0][0]:window[-1][1]].strip()
                chunk_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{page['source']}#{text}"))
                if len(window) < 8 or chunk_id in seen:  # page numbers, running headers
                    continue
                seen.add(chunk_id)
                record = {"id": chunk_id, "source": page["source"], "page": page["page"], "text": text}
                out.write(json.dumps(record) + "\n")
    if not seen:
        raise RuntimeError("no chunk is long enough to index")
    return len(seen)


@dsl.component(base_image=shared.TORCH_IMAGE, packages_to_install=EMBEDDING_PACKAGES)
def embed_chunks(chunks: Input[Dataset], model: str, batch_size: int, vectors: Output[Dataset]):
    """Computes one unit-length vector per chunk.

    Args:
        chunks: JSON lines with `text`.
        model: Sentence Transformers model.
        batch_size: Chunks per forward pass.
        vectors: NumPy array, one row per chunk, in order.
    """
    import json

    import numpy as np
    from sentence_transformers import SentenceTransformer

    with open(chunks.path, encoding="utf-8") as source:
        texts = [json.loads(line)["text"] for line in source]
    encoder = SentenceTransformer(model)
    rows = encoder.encode(texts, batch_size=batch_size, normalize_embeddings=True, show_progress_bar=False)
    with open(vectors.path, "wb") as out:  # np.save would append .npy to a path
        np.save(out, rows.astype(np.float32))
    vectors.metadata["model"] = model
    vectors.metadata["dimension"] = int(rows.shape[1])


@dsl.component(base_image=shared.PYTHON_IMAGE, packages_to_install=[QDRANT, "numpy==1.26.4"])
def build_collection(chunks: Input[Dataset], vectors: Input[Dataset], qdrant_url: str, alias: str, run_id: str) -> str:
    """Fills a new collection, named after the alias and the run so that a retry overwrites its own work.

    Args:
        chunks: JSON lines of the chunks.
        vectors: Their vectors.
        qdrant_url: Vector database.
        alias: Alias that the collection is meant for.
        run_id: Id of the run.

    Returns:
        Name of the collection.
    """
    import json

    import numpy as np
    from qdrant_client import QdrantClient, models

    rows = np.load(vectors.path)
    with open(chunks.path, encoding="utf-8") as source:
        records = [json.loads(line) for line in source]
    name = f"{alias}-{run_id[:8]}"
    client = QdrantClient(url=qdrant_url, timeout=60)
    if client.collection_exists(name):
        client.delete_collection(name)
    client.create_collection(
        name,
        vectors_config=models.VectorParams(size=rows.shape[1], distance=models.Distance.COSINE, on_disk=True),
    )
    points = (
        models.PointStruct(id=record["id"], vector=row.tolist(), payload=record)
        for record, row in zip(records, rows, strict=True)
    )
    client.upload_points(name, points, batch_size=256, max_retries=3, wait=True)
    stored = client.count(name, exact=True).count
    if stored != len(records):
        raise RuntimeError(f"{stored} of {len(records)} chunks are in {name}")
    return name


@dsl.component(base_image=shared.TORCH_IMAGE, packages_to_install=[*EMBEDDING_PACKAGES, QDRANT])
def probe_retrieval(
    chunks: Input[Dataset],
    collection: str,
    qdrant_url: str,
    model: str,
    samples: int,
    metrics: Output[Metrics],
    report: Output[Markdown],
) -> NamedTuple("Probe", [("hit_rate", float), ("mrr", float)]):
    """Asks for known chunks by their middle sentence and looks how high they come back.

    Args:
        chunks: JSON lines of the chunks.
        collection: Collection to query.
        qdrant_url: Vector database.
        model: Model that made the vectors.
        samples: How many chunks to ask for.
        metrics: Hit rate and mean reciprocal rank at 5.
        report: The first queries that missed.
    """
    import json
    import random
    from collections import namedtuple

    from qdrant_client import QdrantClient
    from sentence_transformers import SentenceTransformer

    with open(chunks.path, encoding="utf-8") as source:
        records = [json.loads(line) for line in source]
    chosen = random.Random(13).sample(records, min(samples, len(records)))
    queries = []
    for record in chosen:
        sentences = [part for part in record["text"].split(". ") if len(part.split()) > 4] or [record["text"]]
        queries.append(sentences[len(sentences) // 2])
    encoded = SentenceTransformer(model).encode(queries, normalize_embeddings=True)
    client = QdrantClient(url=qdrant_url, timeout=30)
    reciprocal, missed = [], []
    for record, query, vector in zip(chosen, queries, encoded):
        found = [point.id for point in client.query_points(collection, query=vector.tolist(), limit=5).points]
        if record["id"] in found:
            reciprocal.append(1 / (found.index(record["id"]) + 1))
        else:
            reciprocal.append(0.0)
            missed.append(f"| {record['source']} | {record['page']} | {query[:120].replace('|', ' ')} |")
    hit_rate = sum(value > 0 for value in reciprocal) / len(reciprocal)
    mrr = sum(reciprocal) / len(reciprocal)
    metrics.log_metric("hit_rate_at_5", hit_rate)
    metrics.log_metric("mrr_at_5", mrr)
    with open(report.path, "w", encoding="utf-8") as out:
        out.write(f"# Retrieval probe\n\n{len(missed)} of {len(chosen)} queries missed.\n\n")
        out.write("| Source | Page | Query |\n|---|---|---|\n" + "\n".join(missed[:20]) + "\n")
    return namedtuple("Probe", ["hit_rate", "mrr"])(hit_rate, mrr)


@dsl.component(base_image=shared.PYTHON_IMAGE, packages_to_install=[QDRANT])
def switch_alias(collection: str, alias: str, qdrant_url: str):
    """Points the alias to the new collection in one step, and drops the one it pointed to.

    Args:
        collection: The new collection.
        alias: What the RAG service queries.
        qdrant_url: Vector database.
    """
    from qdrant_client import QdrantClient, models

    client = QdrantClient(url=qdrant_url, timeout=60)
    previous = [entry.collection_name for entry in client.get_aliases().aliases if entry.alias_name == alias]
    create = models.CreateAliasOperation(
        create_alias=models.CreateAlias(collection_name=collection, alias_name=alias))
    delete = models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias))
    client.update_collection_aliases([delete, create] if previous else [create])
    for name in previous:
        if name != collection:
            client.delete_collection(name)


@dsl.component(base_image=shared.PYTHON_IMAGE, packages_to_install=[QDRANT])
def drop_collection(collection: str, qdrant_url: str):
    """Removes a collection that did not pass, and fails so that the run shows it.

    Args:
        collection: The collection.
        qdrant_url: Vector database.
    """
    from qdrant_client import QdrantClient

    QdrantClient(url=qdrant_url, timeout=60).delete_collection(collection)
    raise RuntimeError(f"{collection} did not pass the retrieval probe and was dropped; the alias did not move")


@dsl.component(base_image=shared.PYTHON_IMAGE, packages_to_install=["mlflow-skinny==2.19.0"])
def log_to_mlflow(
    tracking_url: str,
    experiment: str,
    run_name: str,
    params: dict,
    chunks: int,
    hit_rate: float,
    mrr: float,
):
    """Records the ingestion as an MLflow run.

    Args:
        tracking_url: MLflow server.
        experiment: MLflow experiment.
        run_name: Name of the MLflow run.
        params: What the ingestion was run with.
        chunks: How many chunks there are.
        hit_rate: Share of probes that found their chunk.
        mrr: Mean reciprocal rank of the probes.
    """
    import mlflow

    mlflow.set_tracking_uri(tracking_url)
    mlflow.set_experiment(experiment)
    with mlflow.start_run(run_name=run_name):
        mlflow.log_params(params)
        mlflow.log_metrics({"chunks": chunks, "hit_rate_at_5": hit_rate, "mrr_at_5": mrr})


@dsl.pipeline(name="document-ingestion", description="PDFs to a vector collection for RAG, tracked in MLflow.")
def document_ingestion(
    bucket: str = "documents",
    prefix: str = "inbox/",
    alias: str = "documents",
    embedding_model: str = "BAAI/bge-small-en-v1.5",
    chunk_tokens: int = 384,
    overlap_tokens: int = 64,
    batch_size: int = 64,
    probe_samples: int = 200,
    min_hit_rate: float = 0.85,
    qdrant_url: str = "http://qdrant.rag.svc.cluster.local:6333",
    mlflow_url: str = "http://mlflow.mlflow.svc.cluster.local:5000",
    mlflow_experiment: str = "document-ingestion",
    notify_url: str = "http://ntfy.observability.svc.cluster.local/ml-runs",
):
    done = shared.notify(pipeline="document-ingestion", topic_url=notify_url)
    with dsl.ExitHandler(done, name="ingest"):
        read = shared.read_pdfs(bucket=bucket, prefix=prefix)
        chunks = chunk_pages(
            pages=read.output, tokenizer=embedding_model, chunk_tokens=chunk_tokens, overlap_tokens=overlap_tokens)
        embed = embed_chunks(chunks=chunks.outputs["chunks"], model=embedding_model, batch_size=batch_size)
        shared.use_gpu(embed, cpu="4", memory="12Gi", shm="2Gi")
        embed.set_retry(1, backoff_duration="60s")
        build = build_collection(
            chunks=chunks.outputs["chunks"],
            vectors=embed.outputs["vectors"],
            qdrant_url=qdrant_url,
            alias=alias,
            run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER,
        ).set_caching_options(False)
        probe = probe_retrieval(
            chunks=chunks.outputs["chunks"],
            collection=build.output,
            qdrant_url=qdrant_url,
            model=embedding_model,
            samples=probe_samples,
        ).set_cpu_request("2").set_memory_limit("4Gi")
        track = log_to_mlflow(
            tracking_url=mlflow_url,
            experiment=mlflow_experiment,
            run_name=dsl.PIPELINE_JOB_NAME_PLACEHOLDER,
            params={"embedding_model": embedding_model, "chunk_tokens": chunk_tokens, "overlap_tokens": overlap_tokens,
                    "source": f"s3://{bucket}/{prefix}"},
            chunks=chunks.outputs["Output"],
            hit_rate=probe.outputs["hit_rate"],
            mrr=probe.outputs["mrr"],
        ).set_caching_options(False)
        kubernetes.use_secret_as_env(
            track, "mlflow-credentials",
            {"username": "MLFLOW_TRACKING_USERNAME", "password": "MLFLOW_TRACKING_PASSWORD"}, optional=True)
        with dsl.If(probe.outputs["hit_rate"] >= min_hit_rate, name="good-enough"):
            switch_alias(collection=build.output, alias=alias, qdrant_url=qdrant_url).set_caching_options(False)
        with dsl.Else(name="too-poor"):
            drop_collection(collection=build.output, qdrant_url=qdrant_url).set_caching_options(False)
