//! What to apply: narrow, and complete enough to paste.

use super::Subject;
use url::Url;

/// The API's pods and port behind a service of KFP's own manifests: label `app`, and the port the pod
/// listens on, which is what a NetworkPolicy counts.
fn target(service: &str, port: u16) -> (&'static str, u16) {
    match service {
        "ml-pipeline-ui" => ("ml-pipeline-ui", 3000),
        "istio-ingressgateway" => ("istio-ingressgateway", if port == 443 { 8443 } else { 8080 }),
        _ => ("ml-pipeline", if port == 80 || port == 443 { 8888 } else { port }),
    }
}

/// Lets the runner's namespace reach the API's pods on its one port.
pub fn network_policy(subject: &Subject, host: &str, port: u16) -> String {
    let mut labels = host.split('.');
    let service = labels.next().unwrap_or("ml-pipeline");
    let namespace = labels
        .next()
        .filter(|label| *label != "svc")
        .or(subject.own_namespace.as_deref())
        .unwrap_or("kubeflow");
    let (app, port) = target(service, port);
    let (runner, remark) = match runner_namespace(subject) {
        Some(name) => (name, ""),
        None => (
            "RUNNER_NAMESPACE".to_owned(),
            "  # in which namespace do the runner's jobs run?",
        ),
    };
    format!(
        "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: allow-kfp-gitops
  namespace: {namespace}
spec:
  podSelector:
    matchLabels:
      app: {app}
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: {runner}{remark}
      ports:
        - protocol: TCP
          port: {port}
"
    )
}

/// From the service account of this pod, else from a forge that runs in the cluster: runners are, as a rule,
/// beside it.
fn runner_namespace(subject: &Subject) -> Option<String> {
    subject
        .own_namespace
        .clone()
        .or_else(|| namespace_of(subject.forge_url.as_ref()?))
}

/// `git` of `http://gitea.git.svc:3000`.
fn namespace_of(url: &Url) -> Option<String> {
    let labels: Vec<&str> = url.host_str()?.split('.').collect();
    (labels.get(2) == Some(&"svc")).then(|| labels[1].to_owned())
}

/// Lets the caller do what a deployment needs, and nothing else.
pub fn role(namespace: &str, caller: Option<&str>) -> String {
    let subject = match caller.map(|caller| caller.split(':').collect::<Vec<_>>()) {
        Some(parts) if parts.len() == 4 && parts[1] == "serviceaccount" => {
            format!("  - kind: ServiceAccount\n    name: {}\n    namespace: {}\n", parts[3], parts[2])
        }
        Some(_) => format!("  - kind: User\n    name: {}\n    apiGroup: rbac.authorization.k8s.io\n", caller.unwrap_or_default()),
        None => "  - kind: User\n    name: WHO  # the identity that deploys\n    apiGroup: rbac.authorization.k8s.io\n".to_owned(),
    };
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: kfp-gitops
  namespace: {namespace}
rules:
  - apiGroups: [pipelines.kubeflow.org]
    resources: [pipelines]
    verbs: [get, list, create, delete]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: kfp-gitops
  namespace: {namespace}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: kfp-gitops
subjects:
{subject}"
    )
}

/// Lets the runner's workload through a mesh that denies by default.
pub fn authorization_policy(subject: &Subject) -> String {
    let host = subject.connection.endpoint.host_str().unwrap_or_default();
    let namespace = host
        .split('.')
        .nth(1)
        .filter(|label| *label != "svc")
        .unwrap_or("kubeflow");
    let runner = runner_namespace(subject).unwrap_or_else(|| "RUNNER_NAMESPACE".to_owned());
    format!(
        "apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: allow-kfp-gitops
  namespace: {namespace}
spec:
  selector:
    matchLabels:
      app: ml-pipeline
  action: ALLOW
  rules:
    - from:
        - source:
            namespaces: [{runner}]
      to:
        - operation:
            paths: [\"/apis/v2beta1/*\"]
"
    )
}
