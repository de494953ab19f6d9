//! Names and links that mean something in one place only.

use super::*;

#[test]
fn search_domains_tell_whether_this_is_the_cluster() {
    let pod = "nameserver 10.96.0.10\nsearch old.example\nsearch runners.svc.cluster.local svc.cluster.local\noptions ndots:5\n";
    let search = name::search_domains(pod);
    assert_eq!(search, ["runners.svc.cluster.local", "svc.cluster.local"]);
    assert_eq!(name::search_domains("domain\thome.example\n"), ["home.example"]);
    assert!(name::search_domains("# search nothing\n").is_empty());

    let inside = name::cure("ml-pipeline.kubeflow", &search);
    assert!(!inside.contains("only inside the cluster"), "{inside}");
    let inside = name::cure("ml-pipeline.kubeflow.svc", &search);
    assert!(
        inside.contains("kubectl get service ml-pipeline --namespace kubeflow")
            && inside.contains("ml-pipeline.kubeflow.svc.cluster.local"),
        "{inside}"
    );
    let outside = name::cure("ml-pipeline.kubeflow.svc", &["home.example".to_owned()]);
    assert!(
        outside.contains("only inside the cluster") && outside.contains("search domains: home.example"),
        "{outside}"
    );
    assert!(name::cure("ml-pipeline", &[]).contains("search domains: none"));
    assert!(name::cure("kubeflow.example.com", &search).contains("spelling"));
}

#[tokio::test]
async fn the_run_link_is_tried_as_a_stranger_would() {
    let link = async |address: SocketAddr| {
        let mut subject = subject("http://127.0.0.1:1");
        subject.connection.login = Login::Bearer(Secret::new("sEcReT-0123456789").unwrap());
        subject.run_link = Some(
            format!("http://{address}/ml/pipelines/actions/runs/7")
                .parse()
                .unwrap(),
        );
        run_link::check(&subject).await
    };
    let shown = link(always(200, "text/html", "<html>run 7</html>").await).await;
    assert!(
        shown.verdict == Verdict::Passed && shown.seen.ends_with("/ml/pipelines/actions/runs/7"),
        "{shown:?}"
    );
    let private = link(always(404, "text/html", "<html>404</html>").await).await;
    assert!(
        private.verdict == Verdict::Passed && private.seen.contains("logged in"),
        "{private:?}"
    );
    let broken = link(always(502, "text/html", "<html>bad gateway</html>").await).await;
    assert!(broken.is_failed() && broken.cure.unwrap().contains("ROOT_URL"));
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let gone = link(closed).await;
    assert!(
        gone.is_failed() && gone.seen.contains("cannot be reached from here"),
        "{gone:?}"
    );
    assert_eq!(
        run_link::check(&subject("http://127.0.0.1:1")).await.verdict,
        Verdict::Skipped
    );
}
