"""Model evaluation: a registered candidate against the champion on a holdout set, overall and per slice.

Both versions predict the same imported holdout. The candidate takes the champion's alias in the MLflow registry when it
is better by a margin and no slice falls behind; otherwise its version is tagged with the reason.
"""
from typing import List, NamedTuple

from kfp import dsl
from kfp import kubernetes
from kfp.dsl import ClassificationMetrics, Dataset, Input, Markdown, Metrics, Output
from shared_components import PYTHON_IMAGE, use_s3

MLFLOW = "mlflow==2.19.0"
TABULAR = ["pandas==2.2.3", "pyarrow==18.1.0", "scikit-learn==1.5.2"]


@dsl.component(base_image=PYTHON_IMAGE, packages_to_install=[MLFLOW, "boto3==1.35.99", *TABULAR, "xgboost==2.1.3"])
def predict(
    holdout: Input[Dataset],
    tracking_url: str,
    model_name: str,
    version_or_alias: str,
    label_column: str,
    predictions: Output[Dataset],
) -> str:
    """Scores the holdout set with one version of a registered model.

    Args:
        holdout: Parquet with features and label.
        tracking_url: MLflow server.
        model_name: Registered model.
        version_or_alias: `7`, or an alias such as `champion`.
        label_column: Column to leave out of the features.
        predictions: Parquet with the columns `score` and `label`, in the holdout's order.

    Returns:
        The version that predicted.
    """
    import mlflow
    import pandas as pd

    mlflow.set_tracking_uri(tracking_url)
    registry = mlflow.MlflowClient()
    if version_or_alias.isdigit():
        version = version_or_alias
    else:
        version = registry.get_model_version_by_alias(model_name, version_or_alias).version
    frame = pd.read_parquet(holdout.path)
    model = mlflow.sklearn.load_model(f"models:/{model_name}/{version}")
    scores = model.predict_proba(frame.drop(columns=[label_column]))[:, 1]
    pd.DataFrame({"score": scores, "label": frame[label_column].astype(int)}).to_parquet(predictions.path)
    predictions.metadata["model_version"] = version
    return str(version)


@dsl.component(base_image=PYTHON_IMAGE, packages_to_install=TABULAR)
def score(
    predictions: Input[Dataset],
    threshold: float,
    metrics: Output[Metrics],
    curves: Output[ClassificationMetrics],
) -> NamedTuple("Scores", [("average_precision", float), ("roc_auc", float)]):
    """Overall quality of one model's predictions.

    Args:
        predictions: Parquet with `score` and `label`.
        threshold: Score from which a row counts as positive.
        metrics: Average precision, area under the curve, F1 and Brier score.
        curves: ROC curve and confusion matrix.
    """
    from collections import namedtuple

    import numpy as np
    import pandas as pd
    from sklearn import metrics as sk

    frame = pd.read_parquet(predictions.path)
    positive = frame["score"] >= threshold
    average_precision = float(sk.average_precision_score(frame["label"], frame["score"]))
    roc_auc = float(sk.roc_auc_score(frame["label"], frame["score"]))
    metrics.log_metric("average_precision", average_precision)
    metrics.log_metric("roc_auc", roc_auc)
    metrics.log_metric("f1", float(sk.f1_score(frame["label"], positive)))
    metrics.log_metric("brier", float(sk.brier_score_loss(frame["label"], frame["score"])))

    fpr, tpr, cuts = sk.roc_curve(frame["label"], frame["score"])
    keep = np.unique(np.linspace(0, len(fpr) - 1, 200).astype(int))  # the UI draws no more than that
    finite = np.where(np.isfinite(cuts), cuts, 1.0)
    curves.log_roc_curve(fpr[keep].tolist(), tpr[keep].tolist(), finite[keep].tolist())
    curves.log_confusion_matrix(["negative", "positive"], sk.confusion_matrix(frame["label"], positive).tolist())
    return namedtuple("Scores", ["average_precision", "roc_auc"])(average_precision, roc_auc)


@dsl.component(base_image=PYTHON_IMAGE, packages_to_install=TABULAR)
def compare_slice(
    holdout: Input[Dataset],
    candidate: Input[Dataset],
    champion: Input[Dataset],
    column: str,
    min_rows: int,
) -> dict:
    """Compares both models on every value of one column.

    Args:
        holdout: Parquet with the column.
        candidate: The candidate's predictions.
        champion: The champion's predictions.
        column: Column to slice by.
        min_rows: Smaller slices are left out.

    Returns:
        The column's name and a row per slice.
    """
    import pandas as pd
    from sklearn.metrics import average_precision_score

    values = pd.read_parquet(holdout.path, columns=[column])[column].reset_index(drop=True)
    new, old = (pd.read_parquet(part.path).reset_index(drop=True) for part in (candidate, champion))
    rows = []
    for value, index in values.groupby(values).groups.items():
        labels = new.loc[index, "label"]
        if len(index) < min_rows or labels.nunique() < 2:
            continue
        rows.append({
            "value": str(value),
            "rows": len(index),
            "candidate": float(average_precision_score(labels, new.loc[index, "score"])),
            "champion": float(average_precision_score(labels, old.loc[index, "score"])),
        })
    return {"column": column, "slices": rows}


@dsl.component(base_image=PYTHON_IMAGE)
def decide(
    candidate_score: float,
    champion_score: float,
    slices: List[dict],
    min_gain: float,
    max_slice_loss: float,
    report: Output[Markdown],
) -> NamedTuple("Decision", [("promote", bool), ("reason", str)]):
    """Promotes only what is better overall and nowhere clearly worse.

    Args:
        candidate_score: The candidate's average precision.
        champion_score: The champion's average precision.
        slices: What `compare_slice` returned for each column.
        min_gain: By how much the candidate must be better.
        max_slice_loss: By how much it may be worse on a slice.
        report: The comparison for people.
    """
    from collections import namedtuple

    gain = candidate_score - champion_score
    losers, table = [], ["| Slice | Rows | Candidate | Champion | |", "|---|---:|---:|---:|---|"]
    for entry in slices:
        for row in entry["slices"]:
            name = f"{entry['column']} = {row['value']}"
            worse = row["champion"] - row["candidate"] > max_slice_loss
            if worse:
                losers.append(name)
            table.append(f"| {name} | {row['rows']} | {row['candidate']:.4f} | {row['champion']:.4f} | "
                         f"{'worse' if worse else ''} |")
    promote = gain >= min_gain and not losers
    if losers:
        reason = f"worse on {len(losers)} slices: {', '.join(losers[:5])}"
    else:
        reason = f"average precision {candidate_score:.4f} against {champion_score:.4f} ({gain:+.4f})"
    with open(report.path, "w", encoding="utf-8") as out:
        out.write(f"# {'Promote' if promote else 'Keep the champion'}\n\n{reason}\n\n" + "\n".join(table) + "\n")
    return namedtuple("Decision", ["promote", "reason"])(promote, reason)


@dsl.component(base_image=PYTHON_IMAGE, packages_to_install=["mlflow-skinny==2.19.0"])
def promote_version(tracking_url: str, model_name: str, version: str, alias: str, reason: str) -> str:
    """Moves the champion's alias to the candidate and keeps the version it had as `<alias>-previous`.

    Args:
        tracking_url: MLflow server.
        model_name: Registered model.
        version: Version to promote.
        alias: The champion's alias.
        reason: Why.

    Returns:
        What was done.
    """
    import mlflow

    mlflow.set_tracking_uri(tracking_url)
    registry = mlflow.MlflowClient()
    previous = registry.get_model_version_by_alias(model_name, alias).version
    if previous != version:
        registry.set_registered_model_alias(model_name, f"{alias}-previous", previous)
        registry.set_registered_model_alias(model_name, alias, version)
    registry.set_model_version_tag(model_name, version, "evaluation", f"promoted: {reason}")
    return f"{model_name} {alias}: version {previous} -> {version}"


@dsl.component(base_image=PYTHON_IMAGE, packages_to_install=["mlflow-skinny==2.19.0"])
def reject_version(tracking_url: str, model_name: str, version: str, reason: str) -> str:
    """Tags the candidate with the reason why it stays out.

    Args:
        tracking_url: MLflow server.
        model_name: Registered model.
        version: Version that was evaluated.
        reason: Why.

    Returns:
        What was done.
    """
    import mlflow

    mlflow.set_tracking_uri(tracking_url)
    mlflow.MlflowClient().set_model_version_tag(model_name, version, "evaluation", f"rejected: {reason}")
    return f"{model_name} version {version} rejected: {reason}"


def use_registry(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Credentials for MLflow and no caching: an alias may have moved since the last run."""
    kubernetes.use_secret_as_env(
        task, "mlflow-credentials", {"username": "MLFLOW_TRACKING_USERNAME", "password": "MLFLOW_TRACKING_PASSWORD"})
    task.set_env_variable("MLFLOW_S3_ENDPOINT_URL", "http://minio.storage.svc.cluster.local:9000")
    return task.set_caching_options(False)


@dsl.pipeline(name="evaluation", description="Compares a candidate model with the champion and moves the alias.")
def evaluation(
    model_name: str = "churn",
    candidate_version: str = "1",
    champion_alias: str = "champion",
    holdout_uri: str = "s3://datasets/churn/holdout.parquet",
    label_column: str = "churned",
    slice_columns: List[str] = ["region", "plan", "tenure_band"],
    threshold: float = 0.5,
    min_gain: float = 0.002,
    max_slice_loss: float = 0.02,
    mlflow_url: str = "http://mlflow.mlflow.svc.cluster.local:5000",
) -> str:
    holdout = dsl.importer(
        artifact_uri=holdout_uri,
        artifact_class=Dataset,
        reimport=True,  # the object behind the address is replaced every quarter
        metadata={"label": label_column},
    ).set_display_name("holdout")
    common = dict(
        holdout=holdout.output, tracking_url=mlflow_url, model_name=model_name, label_column=label_column)
    candidate = use_registry(use_s3(predict(version_or_alias=candidate_version, **common)))
    candidate.set_display_name("candidate predicts").set_memory_limit("4Gi").set_cpu_request("1")
    champion = use_registry(use_s3(predict(version_or_alias=champion_alias, **common)))
    champion.set_display_name("champion predicts").set_memory_limit("4Gi").set_cpu_request("1")

    candidate_score = score(predictions=candidate.outputs["predictions"], threshold=threshold)
    candidate_score.set_display_name("candidate's quality")
    champion_score = score(predictions=champion.outputs["predictions"], threshold=threshold)
    champion_score.set_display_name("champion's quality")
    with dsl.ParallelFor(slice_columns, name="slices", parallelism=3) as column:
        part = compare_slice(
            holdout=holdout.output,
            candidate=candidate.outputs["predictions"],
            champion=champion.outputs["predictions"],
            column=column,
            min_rows=200,
        )
    decision = decide(
        candidate_score=candidate_score.outputs["average_precision"],
        champion_score=champion_score.outputs["average_precision"],
        slices=dsl.Collected(part.output),
        min_gain=min_gain,
        max_slice_loss=max_slice_loss,
    )
    change = dict(
        tracking_url=mlflow_url,
        model_name=model_name,
        version=candidate.outputs["Output"],
        reason=decision.outputs["reason"],
    )
    with dsl.If(decision.outputs["promote"] == True, name="better"):  # noqa: E712, a channel, not a bool
        promoted = use_registry(promote_version(alias=champion_alias, **change)).set_retry(2)
    with dsl.Else(name="not-better"):
        rejected = use_registry(reject_version(**change)).set_retry(2)
    return dsl.OneOf(promoted.output, rejected.output)
