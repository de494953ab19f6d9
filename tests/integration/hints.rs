//! The mistakes people make most with KFP: each with its place, the span marked, and its own next step.

use crate::compile_support::{Tree, of};

const STEPS: &str = "from kfp import dsl, kubernetes\n\
@dsl.component(base_image='python:3.12')\ndef one(text: str) -> str:\n    return text\n\
@dsl.component(base_image='python:3.12')\ndef two(text: str, data: dsl.Output[dsl.Dataset]) -> str:\n    return text\n\
@dsl.component(base_image='python:3.12')\ndef number() -> int:\n    return 1\n\
@dsl.component(base_image='python:3.12')\ndef none(): pass\n";

/// A pipeline whose only line is at line 15 of its file.
fn line(text: &str) -> String {
    format!("{STEPS}\n@dsl.pipeline\ndef p():\n    {text}\n")
}

/// Name, file, part of the message, part of the hint, the text of the line that is marked.
#[rustfmt::skip]
fn mistakes() -> Vec<(&'static str, String, &'static str, &'static str, &'static str)> {
    vec![
        ("positional", line("one('x')"), "keyword arguments", "name every argument", "one('x')"),
        ("unannotated", "from kfp import dsl\n@dsl.component\ndef one(text):\n    pass\n".into(), "Missing type annotation", "annotate every parameter", "@dsl.component"),
        ("unannotated_pipeline", format!("{STEPS}\n@dsl.pipeline\ndef p(a):\n    one(text=a)\n"), "Missing type annotation", "annotate every parameter", "@dsl.pipeline"),
        ("wrong_output", line("one(text=one(text='x').outputs['nope'])"), "'nope'", "has no output 'nope'", "one(text=one(text='x').outputs['nope'])"),
        ("several_outputs", line("one(text=two(text='x').output)"), "multiple outputs", "name the output", "one(text=two(text='x').output)"),
        ("no_output", line("one(text=none().output)"), "outputs", "has none", "one(text=none().output)"),
        ("wrong_type", line("one(text=number().output)"), "Incompatible argument", "the types of the output and of the input", "one(text=number().output)"),
        ("wrong_argument", line("one(txt='x')"), "unexpected keyword argument", "correct the name of the argument", "one(txt='x')"),
        ("missing_argument", line("one()"), "missing 1 required argument", "pass each argument by name", "one()"),
        ("no_task", line("pass"), "Task is missing", "call at least one component", "@dsl.pipeline"),
        ("container_op", line("dsl.ContainerOp(name='x', image='y')"), "ContainerOp", "`@dsl.container_component`", "dsl.ContainerOp(name='x', image='y')"),
        ("from_func", "from kfp.components import create_component_from_func\n".into(), "create_component_from_func", "`@dsl.component` of kfp 2", "from kfp.components import create_component_from_func"),
        ("to_op", "import kfp\nkfp.components.func_to_container_op(print)\n".into(), "func_to_container_op", "`@dsl.component` of kfp 2", "kfp.components.func_to_container_op(print)"),
        ("apply", line("none().apply(print)"), "'apply'", "`.apply(…)` is kfp 1", "none().apply(print)"),
        ("container", line("none().container.set_gpu_limit(1)"), "'container'", "call it on the task itself", "none().container.set_gpu_limit(1)"),
        ("onprem", "from kfp import onprem\n".into(), "onprem", "`onprem` is kfp 1", "from kfp import onprem"),
        ("feature", line("kubernetes.no_such_feature(none())"), "no_such_feature", "the kfp in use does not have it", "kubernetes.no_such_feature(none())"),
        ("setter", line("none().set_no_such_thing(1)"), "set_no_such_thing", "the kfp in use does not have it", "none().set_no_such_thing(1)"),
        ("option", line("kubernetes.use_secret_as_env(none(), 's', {}, nonsense=1)"), "nonsense", "the kfp in use does not have it", "kubernetes.use_secret_as_env(none(), 's', {}, nonsense=1)"),
        ("decorator", format!("{STEPS}\n@dsl.pipeline(nonsense=1)\ndef p():\n    none()\n"), "nonsense", "the kfp in use does not have it", "@dsl.pipeline(nonsense=1)"),
        ("gone", "from kfp.compiler import compiler_utils_of_kfp_1\n".into(), "compiler_utils_of_kfp_1", "the kfp in use does not have it", "from kfp.compiler import compiler_utils_of_kfp_1"),
        ("volume", line("dsl.VolumeOp(name='x', resource_name='y')"), "VolumeOp", "`kubernetes.CreatePVC`", "dsl.VolumeOp(name='x', resource_name='y')"),
        ("mode", "from kfp import compiler, dsl\ncompiler.Compiler(mode=dsl.PipelineExecutionMode.V2_COMPATIBLE)\n".into(), "PipelineExecutionMode", "`PipelineExecutionMode` is kfp 1", "compiler.Compiler(mode=dsl.PipelineExecutionMode.V2_COMPATIBLE)"),
        ("resource", line("dsl.ResourceOp(name='x')"), "ResourceOp", "`ResourceOp` is kfp 1", "dsl.ResourceOp(name='x')"),
        ("conf", line("dsl.get_pipeline_conf().set_timeout(1)"), "get_pipeline_conf", "is kfp 1", "dsl.get_pipeline_conf().set_timeout(1)"),
        ("param", "from kfp import dsl\nx = dsl.PipelineParam('x')\n".into(), "PipelineParam", "annotate the parameter", "x = dsl.PipelineParam('x')"),
        ("run_id", line("one(text=dsl.RUN_ID_PLACEHOLDER)"), "RUN_ID_PLACEHOLDER", "`dsl.PIPELINE_JOB_ID_PLACEHOLDER`", "one(text=dsl.RUN_ID_PLACEHOLDER)"),
        ("raw_socket", "import socket\nsocket.create_connection(('127.0.0.1', 9))\n".into(), "PermissionError", "`compile.network: allow`", "socket.create_connection(('127.0.0.1', 9))"),
        ("name", "from kfp.dsl import NoSuchThing\n".into(), "NoSuchThing", "the kfp in use does not have it", "from kfp.dsl import NoSuchThing"),
        ("type", "from kfp import dsl\n@dsl.component\ndef one(n: set): pass\n".into(), "set", "annotate with `str`", "@dsl.component"),
        ("missing_module", "import no_such_module_anywhere\n".into(), "no_such_module_anywhere", "add `no_such_module_anywhere` to `requirements.txt`", "import no_such_module_anywhere"),
        ("network", "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9/x')\n".into(), "URLError", "`compile.network: allow`", "urllib.request.urlopen('http://127.0.0.1:9/x')"),
        ("load", "from kfp import components\ncomponents.load_component_from_url('http://127.0.0.1:9/x.yaml')\n".into(), "Connection", "keep a copy of the component in the repository", "components.load_component_from_url('http://127.0.0.1:9/x.yaml')"),
        ("missing_several", "from kfp import dsl\n@dsl.component\ndef f(a: str, b: int): pass\n@dsl.pipeline\ndef p():\n    f()\n".into(), "missing 2 required arguments", "pass each argument by name", "f()"),
        ("plain_function", "from kfp import dsl\ndef f(a: str): return a\n@dsl.pipeline\ndef p(a: str = 'x'):\n    f(a).output\n".into(), "'output'", "`@dsl.component` makes a component", "f(a).output"),
        ("as_number", line("one(text=str(1 + one(text='x').output))"), "PipelineParameterChannel", "have no value while compiling", "one(text=str(1 + one(text='x').output))"),
        ("as_list", line("[one(text=x) for x in one(text='x').output]"), "not iterable", "`dsl.ParallelFor`", "[one(text=x) for x in one(text='x').output]"),
        ("output_of_task", line("one(text=two(text='x').data)"), "'data'", "`task.outputs[\"data\"]`", "one(text=two(text='x').data)"),
        ("collected", line("dsl.Collected(none())"), "'task_name'", "`task.outputs[\"…\"]`", "dsl.Collected(none())"),
        ("uncalled", line("with dsl.ExitHandler(none): none()"), "'PythonComponent'", "call the component", "with dsl.ExitHandler(none): none()"),
        ("no_container", "from kfp import dsl\n@dsl.container_component\ndef f():\n    dsl.ContainerSpec(image='x')\n".into(), "'image'", "returns a `dsl.ContainerSpec(image=…)`", "@dsl.container_component"),
        ("joined", "from kfp import dsl\n@dsl.container_component\ndef f(a: str):\n    return dsl.ContainerSpec(image='x', args=[a + 'x'])\n".into(), "InputValuePlaceholder", "`dsl.ConcatPlaceholder", "return dsl.ContainerSpec(image='x', args=[a + 'x'])"),
        ("default", format!("{STEPS}\n@dsl.pipeline\ndef p(a: str = 3):\n    none()\n"), "bad argument type", "a number for a `str`", "@dsl.pipeline"),
        ("relative", "from .steps import one\n".into(), "relative import", "import it without the dot", "from .steps import one"),
        ("gcp", "from kfp import gcp\n".into(), "gcp", "`kfp.gcp` is kfp 1", "from kfp import gcp"),
        ("compiles_itself", format!("{STEPS}\nfrom kfp import compiler\ncompiler.Compiler().compile(none, 'none.yaml')\n"), "'none.yaml'", "this program compiles the file", "compiler.Compiler().compile(none, 'none.yaml')"),
        ("compiles_into_a_folder", format!("{STEPS}\nimport kfp\nkfp.compiler.Compiler().compile(none, 'no/such/folder.yaml')\n"), "no/such/folder.yaml", "this program compiles the file", "kfp.compiler.Compiler().compile(none, 'no/such/folder.yaml')"),
        ("runs_itself", "import kfp\nx = kfp.Client(host='http://127.0.0.1:9')\n".into(), "Max retries", "this program uploads the pipeline", "x = kfp.Client(host='http://127.0.0.1:9')"),
        ("dotenv", "from pathlib import Path\nopen(Path(__file__).parent / '.env')\n".into(), ".env", "`.env` may hold secrets", "open(Path(__file__).parent / '.env')"),
        ("outside", "open('/etc/hostname')\n".into(), "/etc/hostname", "keep a copy of the file in the repository", "open('/etc/hostname')"),
        ("writes", "open(__file__ + '.out', 'w')\n".into(), "Permission denied", "changes nothing in the repository", "open(__file__ + '.out', 'w')"),
        ("started_elsewhere", "open('config/settings.yaml')\n".into(), "config/settings.yaml", "`Path(__file__).parent", "open('config/settings.yaml')"),
        ("asks_git", "import subprocess\nx = subprocess.check_output(['git', 'rev-parse', 'HEAD'], stderr=-3)\n".into(), "'rev-parse'", "`GITHUB_SHA`", "x = subprocess.check_output(['git', 'rev-parse', 'HEAD'], stderr=-3)"),
        ("ends", "import sys\nsys.exit(1)\n".into(), "sys.exit(1)", "`if __name__ == \"__main__\":`", "sys.exit(1)"),
    ]
}

#[test]
fn each_mistake_has_its_place_and_its_next_step() {
    let mut tree = Tree::new();
    for (name, text, ..) in mistakes() {
        tree.pipeline(&format!("{name}_pipeline.py"), &text);
    }
    tree.file(".env", "PASSWORD=x\n");
    // which of several is meant is a mistake too
    tree.pipeline(
        "several_pipeline.py",
        "from kfp import dsl\n@dsl.component\ndef a(): pass\n@dsl.component\ndef b(): pass\n",
    );
    tree.file(
        "shared.py",
        &format!("{STEPS}\n@dsl.pipeline\ndef p():\n    none()\n@dsl.pipeline\ndef q():\n    none()\n"),
    );
    tree.pipeline("imports_pipeline.py", "from shared import p, q\n");
    tree.pipeline(
        "nothing_pipeline.py",
        "from shared import STEPS\n".replace("STEPS", "dsl").as_str(),
    );
    tree.pipeline("named_pipeline.py", &line("none()")).function = Some("absent".into());
    let mut settings = tree.settings();
    settings.kfp_version = Some(("2.17.0".into(), "--kfp-version".into()));
    let result = tree.compile(&settings);
    let engine = result.engine.as_ref().unwrap();
    let minor: u32 = engine.python_version.split('.').nth(1).unwrap().parse().unwrap();
    let mut wrong = Vec::new();
    for (name, text, message, hint, marked) in mistakes() {
        let file = format!("{name}_pipeline.py");
        let failure = match &of(&result, &file).outcome {
            Err(failure) => failure.clone(),
            Ok(_) => {
                wrong.push(format!("{name} compiled"));
                continue;
            }
        };
        let detail = failure.detail.clone().unwrap_or_default();
        let place = failure
            .line
            .and_then(|line| text.lines().nth(line as usize - 1))
            .map(str::trim);
        let checks = [
            ("message", failure.message.contains(message)),
            (
                "hint",
                failure.hint.as_deref().is_some_and(|text| text.contains(hint)),
            ),
            ("file", failure.file.as_deref() == Some(&*file)),
            ("line", place == Some(marked)),
            ("excerpt", detail.contains(marked)),
            // Python knows columns since 3.11; a whole line is not underlined
            ("column", minor < 11 || failure.column.is_some()),
            (
                "span",
                minor < 11
                    || detail.contains("^^")
                    || detail.lines().last().is_some_and(|last| last.trim() == marked),
            ),
        ];
        for (what, _) in checks.iter().filter(|(_, right)| !right) {
            wrong.push(format!("{name}: {what} in {failure:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (name, message, hint) in [
        (
            "several_pipeline",
            "2 components: a, b",
            "name the one to compile: `pipelines.several_pipeline.function`",
        ),
        (
            "imports_pipeline",
            "imports 2: p, q",
            "name the one to compile: `pipelines.imports_pipeline.function`",
        ),
        (
            "nothing_pipeline",
            "no pipeline and no component",
            "decorate a function with `@dsl.pipeline`",
        ),
        (
            "named_pipeline",
            "no pipeline or component named `absent`",
            "correct `pipelines.named_pipeline.function`",
        ),
    ] {
        let outcome = &of(&result, &format!("{name}.py")).outcome;
        let failure = outcome.as_ref().expect_err(name);
        assert!(failure.message.contains(message), "{name}: {failure}");
        assert!(
            failure.hint.as_deref().is_some_and(|text| text.contains(hint)),
            "{name}: {failure}"
        );
    }
}

#[test]
fn script_metadata_that_cannot_be_read_is_named() {
    let mut tree = Tree::new();
    tree.pipeline(
        "a_pipeline.py",
        "# /// script\n# dependencies = 'no-such-module-anywhere'\n# ///\nimport no_such_module_anywhere\n",
    );
    let result = tree.compile(&tree.settings());
    let failure = of(&result, "a_pipeline.py").outcome.as_ref().unwrap_err();
    for part in [
        "`a_pipeline.py` cannot be read",
        "no list of texts",
        "No module named",
    ] {
        assert!(failure.message.contains(part), "{failure}");
    }
    assert!(failure.hint.as_deref().unwrap().contains("# dependencies = ["));
}

#[test]
fn what_is_no_such_mistake_gets_no_hint_of_it() {
    let mut tree = Tree::new();
    for (name, text) in [
        (
            "program",
            "import subprocess\nsubprocess.run(['no-such-program'])\n",
        ),
        ("image", "import types\nx = types.SimpleNamespace()\nx.image\n"),
        ("argument", "def f(*, a): pass\nf()\n"),
    ] {
        tree.pipeline(&format!("{name}_pipeline.py"), text);
    }
    let result = tree.compile(&tree.settings());
    for file in &result.files {
        let failure = file.outcome.as_ref().unwrap_err();
        assert_eq!(failure.hint, None, "{failure}");
    }
}

#[test]
fn a_kfp_that_is_too_old_for_a_feature_says_so() {
    let mut tree = Tree::new();
    tree.pipeline(
        "a_pipeline.py",
        &line("kubernetes.use_secret_as_env(none(), 's', {'a': 'B'}, optional=True)"),
    );
    let mut settings = tree.settings();
    settings.kfp_version = Some(("2.13.0".into(), "--kfp-version".into()));
    let result = tree.compile(&settings);
    let failure = of(&result, "a_pipeline.py").outcome.as_ref().unwrap_err();
    assert!(
        failure.message.contains("unexpected keyword argument 'optional'"),
        "{failure}"
    );
    let hint = failure.hint.as_deref().unwrap();
    assert!(
        hint.contains("the kfp in use does not have it") && hint.contains("`kfp==2."),
        "{hint}"
    );
}
