//! What `compile -o` writes is the pipeline that is shown and deployed, whoever tries to make it another.

use crate::support::{folder, kfp_gitops, repository, run};

const HONEST: &str = "from kfp import dsl\n\n\n@dsl.component(base_image='python:3.12')\ndef say(text: str): pass\n\n\n\
                      @dsl.pipeline(name='a')\ndef a(text: str = '1e3', number: float = 1e300):\n    say(text=text)\n";

/// Says one thing to this program, and writes another into the file.
const FORGES: &str = "import yaml\n_real = yaml.dump_all\n\
    def dump_all(documents, stream=None, **options):\n    \
        documents = [dict(one) for one in documents]\n    \
        documents[0]['pipelineInfo'] = {'name': 'forged'}\n    \
        return _real(documents, stream, **options)\n\
    yaml.dump_all = dump_all\n";

#[test]
fn a_forged_file_is_not_written() {
    let root = folder(&[
        ("honest_pipeline.py", HONEST),
        ("forged_pipeline.py", &format!("{HONEST}\n\n{FORGES}")),
        ("requirements.txt", "kfp==2.17.0\n"),
    ]);
    // the second time the honest one comes from the cache, and so might the forged one
    for _ in 0..2 {
        let said = run(kfp_gitops(root.path()).args(["compile", "-o", "out", "--format", "json"]));
        assert_eq!(said.code, 1, "{said:?}");
        let report = said.json();
        for one in report["pipelines"].as_array().unwrap() {
            let message = one["error"]["message"].as_str().unwrap_or_default();
            match one["file"].as_str().unwrap() {
                "honest_pipeline.py" => assert_eq!(message, "", "{one}"),
                _ => assert!(message.contains("does not say what the pipeline is"), "{one}"),
            }
        }
        let out = root.path().join("out");
        let text = std::fs::read_to_string(out.join("honest_pipeline.yaml")).unwrap();
        assert!(
            text.contains("defaultValue: 1e3") && text.contains("1.0e+300"),
            "{text}"
        );
        assert!(!out.join("forged_pipeline.yaml").exists());
    }
}

#[test]
fn a_file_that_the_compiler_itself_breaks_is_not_written_either() {
    let root = folder(&[("requirements.txt", "kfp==2.17.0\n")]);
    let corpus = repository().join("tests/corpus/malformed");
    let mut count = 0;
    for entry in std::fs::read_dir(&corpus).unwrap().flatten() {
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "py")
        {
            std::fs::copy(entry.path(), root.path().join(entry.file_name())).unwrap();
            count += 1;
        }
    }
    let said = run(kfp_gitops(root.path()).args(["compile", "-o", "out", "--format", "json"]));
    assert_eq!(said.code, 1, "{said:?}");
    let report = said.json();
    let pipelines = report["pipelines"].as_array().unwrap();
    assert_eq!(pipelines.len(), count);
    for one in pipelines {
        let hint = one["error"]["hint"].as_str().unwrap_or_default();
        assert!(hint.contains("ends the comment"), "{one}");
        let yaml = one["file"].as_str().unwrap().replace(".py", ".yaml");
        assert!(!root.path().join("out").join(&yaml).exists(), "{yaml}");
    }
    // what is uploaded is the specification itself
    let said = run(kfp_gitops(root.path()).args(["compile", "--format", "json"]));
    assert_eq!(said.code, 0, "{said:?}");
}
