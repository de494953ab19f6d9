//! Compiling through the library: what comes back for sound, odd and hostile files.

use crate::compile_support::{Tree, names, of, plain};
use kfp_gitops::compile::{Silent, describe, prepare};
use std::time::Duration;

#[test]
fn the_roots_of_a_file() {
    let mut tree = Tree::new();
    tree.file("shared.py", &plain("from-shared"));
    tree.file(
        "two.py",
        &format!(
            "{}\n@dsl.pipeline(name='second')\ndef second():\n    hello(text='x')\n",
            plain("first")
        ),
    );
    tree.pipeline("plain_pipeline.py", &plain("plain"));
    tree.pipeline(
        "several_pipeline.py",
        &format!(
            "{}\n@dsl.pipeline(name='b')\ndef _hidden():\n    hello(text='x')\nalias = pipe\n",
            plain("a")
        ),
    );
    tree.pipeline(
        "nested_pipeline.py",
        &format!(
            "{}\n@dsl.pipeline(name='outer')\ndef outer():\n    pipe(text='x')\n",
            plain("inner")
        ),
    );
    tree.pipeline("imported_pipeline.py", "from shared import pipe\n");
    tree.pipeline(
        "uses_pipeline.py",
        &format!("{}\nfrom shared import pipe as other\n", plain("own")),
    );
    tree.pipeline("two_imported_pipeline.py", "from two import pipe, second\n");
    tree.pipeline("elsewhere_pipeline.py", "from plain_pipeline import pipe\n");
    tree.pipeline(
        "component_pipeline.py",
        "from kfp import dsl\n@dsl.component\ndef one_step(a: str): pass\n",
    );
    tree.pipeline(
        "components_pipeline.py",
        "from kfp import dsl\n@dsl.component\ndef a(a: str): pass\n@dsl.component\ndef b(a: str): pass\n",
    );
    tree.pipeline("nothing_pipeline.py", "x = 1\n");
    let factory = "from kfp import dsl\ndef make(title):\n    @dsl.component\n    def step(): pass\n    \
                   @dsl.pipeline(name=title)\n    def made():\n        step()\n    return made\n";
    tree.file("factory.py", factory);
    tree.pipeline(
        "made_pipeline.py",
        "from factory import make\none = make('one')\ntwo = make('two')\n",
    );
    let result = tree.compile(&tree.settings());
    let ok = |path: &str, expected: &[&str]| {
        assert_eq!(
            names(&result, path),
            Ok(expected.iter().map(|name| (*name).to_owned()).collect()),
            "{path}"
        );
    };
    ok("plain_pipeline.py", &["plain"]);
    ok("several_pipeline.py", &["a", "b"]);
    ok("nested_pipeline.py", &["outer"]);
    ok("imported_pipeline.py", &["from-shared"]);
    ok("uses_pipeline.py", &["own"]);
    ok("component_pipeline.py", &["one-step"]);
    ok("made_pipeline.py", &["one", "two"]);
    let several = of(&result, "several_pipeline.py").outcome.as_ref().unwrap();
    assert!(several.iter().all(|one| one.one_of_several));
    assert_eq!(several[1].function, "_hidden");
    assert!(!of(&result, "plain_pipeline.py").outcome.as_ref().unwrap()[0].one_of_several);
    for (path, part) in [
        ("two_imported_pipeline.py", "imports 2: pipe, second"),
        ("elsewhere_pipeline.py", "`pipe` belongs to `plain_pipeline.py`"),
        ("components_pipeline.py", "2 components: a, b"),
        ("nothing_pipeline.py", "no pipeline"),
    ] {
        let failure = of(&result, path).outcome.as_ref().unwrap_err();
        assert!(failure.message.contains(part), "{failure}");
        assert!(failure.hint.is_some(), "{failure}");
        assert_eq!(failure.file.as_deref(), Some(path));
    }
}

#[test]
fn errors_show_the_place_without_the_frameworks_frames() {
    let mut tree = Tree::new();
    tree.file("helper.py", "def boom(x):\n    raise ValueError('bad ' + x)\n");
    tree.pipeline(
        "raises_pipeline.py",
        "import helper\n\ndef f():\n    helper.boom('luck')\n\nf()\n",
    );
    tree.pipeline("syntax_pipeline.py", "x = 1\ndef f(:\n");
    tree.pipeline(
        "type_pipeline.py",
        "from kfp import dsl\n\n@dsl.component\ndef c(a: int) -> int:\n    return a\n\n@dsl.pipeline\ndef p():\n    c('x')\n",
    );
    tree.pipeline("import_pipeline.py", "import no_such_module_anywhere\n");
    let result = tree.compile(&tree.settings());
    let failure = |path: &str| of(&result, path).outcome.as_ref().unwrap_err().clone();

    let raises = failure("raises_pipeline.py");
    assert_eq!(
        (raises.file.as_deref(), raises.line),
        (Some("helper.py"), Some(2))
    );
    assert_eq!(raises.message, "ValueError: bad luck");
    let detail = raises.detail.unwrap();
    assert!(
        detail.contains("raises_pipeline.py:4 in f\n    helper.boom('luck')"),
        "{detail}"
    );
    assert!(
        !detail.contains("importlib") && !detail.contains("worker"),
        "{detail}"
    );

    let syntax = failure("syntax_pipeline.py");
    assert_eq!(
        (syntax.file.as_deref(), syntax.line),
        (Some("syntax_pipeline.py"), Some(2))
    );
    assert!(syntax.message.starts_with("SyntaxError"), "{syntax}");
    assert!(syntax.column.is_some());

    let kfp = failure("type_pipeline.py");
    assert_eq!(
        (kfp.file.as_deref(), kfp.line),
        (Some("type_pipeline.py"), Some(9))
    );
    assert!(kfp.hint.unwrap().contains("name every argument"));
    assert!(!kfp.detail.unwrap().contains("site"));

    let import = failure("import_pipeline.py");
    assert!(import.hint.unwrap().contains("requirements.txt"));
}

#[test]
fn no_place_is_told_that_is_none_of_the_file() {
    let words = "'word', ".repeat(500);
    let mut tree = Tree::new();
    // kfp itself fails, after the last line of the file has run
    tree.pipeline(
        "nan_pipeline.py",
        "from kfp import dsl\n@dsl.component\ndef c(a: float): pass\n\
         @dsl.pipeline\ndef p(a: float = float('nan')):\n    c(a=a)\n",
    );
    tree.pipeline("encoding_pipeline.py", "# -*- coding: klingon -*-\n");
    tree.pipeline("long_pipeline.py", &format!("x = [{words}nowhere, {words}]\n"));
    tree.pipeline("syntax_pipeline.py", &format!("x = [{words}1 2, {words}]\n"));
    let result = tree.compile(&tree.settings());
    let failure = |path: &str| of(&result, path).outcome.as_ref().unwrap_err().clone();

    let nan = failure("nan_pipeline.py");
    assert!(nan.message.contains("NaN"), "{nan}");
    assert_eq!(nan.file.as_deref(), Some("nan_pipeline.py"));
    assert_eq!((nan.line, nan.column), (None, None));
    assert!(nan.detail.unwrap().contains("json_format.py"));

    let encoding = failure("encoding_pipeline.py");
    assert!(encoding.message.contains("klingon"), "{encoding}");
    assert_eq!(encoding.line, None);

    // of a long line the part is shown that is meant, and columns are those of the whole
    let long = failure("long_pipeline.py");
    assert_eq!(long.line, Some(1));
    let detail = long.detail.unwrap();
    let lines: Vec<&str> = detail.lines().collect();
    let shown = lines[1].chars().count();
    assert!(lines[1].contains("nowhere") && shown < 500, "{detail}");
    if let Some(column) = long.column {
        assert_eq!(column as usize, "x = [".len() + words.len() + 1);
        let before = lines[1].split("nowhere").next().unwrap().chars().count();
        assert_eq!(lines[2], format!("{}^^^^^^^", " ".repeat(before)));
    }
    let syntax = failure("syntax_pipeline.py");
    assert_eq!(syntax.line, Some(1));
    let place = "x = [".len() + words.len() + 1;
    assert!(
        syntax
            .column
            .is_none_or(|column| (place..place + 4).contains(&(column as usize))),
        "{syntax:?}"
    );
}

#[test]
fn a_hostile_or_broken_file_fails_alone() {
    let mut tree = Tree::new();
    let sound = plain("sound");
    tree.pipeline("a_sound_pipeline.py", &sound);
    tree.pipeline("exit_pipeline.py", "import sys\nsys.exit(3)\n");
    tree.pipeline("hard_exit_pipeline.py", "import os\nos._exit(0)\n");
    tree.pipeline("hard_exit_code_pipeline.py", "import os\nos._exit(7)\n");
    tree.pipeline("abort_pipeline.py", "import os\nos.abort()\n");
    tree.pipeline("crash_pipeline.py", "import ctypes\nctypes.string_at(0)\n");
    tree.pipeline("loop_pipeline.py", "while True:\n    pass\n");
    tree.pipeline(
        "memory_pipeline.py",
        "x = []\nwhile True:\n    x.append(bytearray(10_000_000))\n",
    );
    tree.pipeline(
        "prints_pipeline.py",
        &format!(
            "line = 'x' * 999\nfor _ in range(100_000):\n    print(line)\n{}",
            plain("prints")
        ),
    );
    tree.pipeline(
        "forges_pipeline.py",
        "import os\nfor fd in range(3, 64):\n    try:\n        os.write(fd, b'{\"t\": \"result\", \"id\": 0, \"n\": 1}\\nx\\n')\n    except OSError:\n        pass\nos._exit(0)\n",
    );
    tree.pipeline(
        "deletes_pipeline.py",
        &format!("{sound}\nimport sys\nfor name in list(sys.modules):\n    del sys.modules[name]\n"),
    );
    tree.pipeline("z_sound_pipeline.py", &sound);
    let mut settings = tree.settings();
    settings.timeout = Duration::from_secs(5);
    settings.memory_bytes = 300 << 20;
    let result = tree.compile(&settings);
    for path in ["a_sound_pipeline.py", "z_sound_pipeline.py"] {
        assert_eq!(names(&result, path), Ok(vec!["sound".to_owned()]), "{path}");
    }
    for (path, part) in [
        ("exit_pipeline.py", "sys.exit(3)"),
        ("hard_exit_pipeline.py", "os._exit(0)"),
        ("hard_exit_code_pipeline.py", "code 7"),
        ("abort_pipeline.py", "SIGABRT"),
        ("crash_pipeline.py", "SIGSEGV"),
        ("loop_pipeline.py", "did not finish within 5 s"),
        ("memory_pipeline.py", "more than 300 MiB"),
        ("forges_pipeline.py", "os._exit(0)"),
    ] {
        let failure = of(&result, path).outcome.as_ref().expect_err(path);
        assert!(failure.message.contains(part), "{path}: {failure}");
    }
    assert_eq!(
        names(&result, "prints_pipeline.py"),
        Ok(vec!["prints".to_owned()])
    );
    let printed = &of(&result, "prints_pipeline.py").printed;
    assert!(
        printed.len() < 70_000 && printed.ends_with("more bytes"),
        "{}",
        printed.len()
    );
}

#[test]
fn siblings_and_modules_of_the_same_name() {
    let mut tree = Tree::new();
    for (folder, name) in [("one", "first"), ("two", "second")] {
        tree.file(&format!("{folder}/shared.py"), &format!("NAME = '{name}'\n"));
        tree.file(&format!("{folder}/resource.py"), &format!("NAME = '{name}'\n"));
        let text = PIPELINE_OF_SIBLINGS;
        tree.pipeline(&format!("{folder}/same_pipeline.py"), text);
    }
    let result = tree.compile(&tree.settings());
    assert_eq!(
        names(&result, "one/same_pipeline.py"),
        Ok(vec!["first-first".to_owned()])
    );
    assert_eq!(
        names(&result, "two/same_pipeline.py"),
        Ok(vec!["second-second".to_owned()])
    );
    assert!(
        !tree.root().join("one/__pycache__").exists(),
        "compiling leaves nothing in the tree"
    );
}

const PIPELINE_OF_SIBLINGS: &str = "from kfp import dsl\nimport resource\nimport shared\n\
    @dsl.component\ndef c(): pass\n@dsl.pipeline(name=shared.NAME + '-' + resource.NAME)\ndef p():\n    c()\n";

#[test]
fn function_parameters_caching_and_warnings() {
    let mut tree = Tree::new();
    let two = format!(
        "{}\n@dsl.pipeline(name='b')\ndef other(n: int = 1):\n    hello(text='x')\n",
        plain("a")
    );
    let source = tree.pipeline("one_pipeline.py", &two);
    source.function = Some("other".into());
    source.parameters.insert("n".into(), serde_json::json!(7));
    tree.pipeline("missing_pipeline.py", &two).function = Some("absent".into());
    tree.pipeline("wrong_pipeline.py", &plain("w"))
        .parameters
        .insert("absent".into(), serde_json::json!(1));
    tree.pipeline(
        "large_pipeline.py",
        "from kfp import dsl\n@dsl.component\ndef c(n: int): pass\n@dsl.pipeline\n\
         def p(n: int = 9007199254740993, m: dict = {'k': [12345678901234567891]}):\n    c(n=n)\n    c(n=9007199254740995)\n    c(n=9007199254740992)\n",
    );
    tree.pipeline(
        "warns_pipeline.py",
        &format!(
            "{}\nimport warnings\nfor _ in range(3):\n    warnings.warn('mind the gap')\n",
            plain("w")
        ),
    );
    let mut settings = tree.settings();
    settings.disable_caching_by_default = true;
    let result = tree.compile(&settings);
    let one = &of(&result, "one_pipeline.py").outcome.as_ref().unwrap()[0];
    assert_eq!((one.name.as_str(), one.function.as_str()), ("b", "other"));
    assert!(
        one.spec.pipeline_text().contains("\"defaultValue\":7"),
        "{}",
        one.spec.pipeline_text()
    );
    assert!(
        !one.spec.pipeline_text().contains("enableCache"),
        "{}",
        one.spec.pipeline_text()
    );
    assert!(
        names(&result, "missing_pipeline.py")
            .unwrap_err()
            .contains("`absent`")
    );
    assert!(
        names(&result, "wrong_pipeline.py")
            .unwrap_err()
            .contains("absent")
    );
    let warnings = &of(&result, "large_pipeline.py").warnings;
    assert_eq!(
        warnings.iter().filter(|text| text.contains("2^53")).count(),
        3,
        "{warnings:#?}"
    );
    assert!(
        warnings
            .iter()
            .any(|text| text.contains("`n` of `p`") && text.contains("9007199254740993"))
    );
    let warnings = &of(&result, "warns_pipeline.py").warnings;
    assert_eq!(
        warnings
            .iter()
            .filter(|text| text.contains("mind the gap"))
            .count(),
        1,
        "{warnings:#?}"
    );
    assert!(
        warnings.iter().any(|text| text.starts_with("line ")),
        "{warnings:#?}"
    );
}

#[test]
fn results_of_all_files_together_have_a_limit() {
    let mut tree = Tree::new();
    let large = |name: &str| plain(name).replace("return text", &format!("return '{}'", "x".repeat(300_000)));
    for name in ["a", "b", "c", "d"] {
        tree.pipeline(&format!("{name}_pipeline.py"), &large(name));
    }
    tree.pipeline("z_pipeline.py", &plain("z"));
    let mut settings = tree.settings();
    settings.jobs = 1;
    let all = tree.compile(&settings);
    assert!(all.files.iter().all(|file| file.outcome.is_ok()), "{all:?}");
    settings.results_bytes = 1 << 20;
    let result = tree.compile(&settings);
    for name in ["a", "b", "c"] {
        assert_eq!(
            names(&result, &format!("{name}_pipeline.py")),
            Ok(vec![name.to_owned()])
        );
    }
    let failure = of(&result, "d_pipeline.py").outcome.as_ref().unwrap_err();
    assert!(failure.message.contains("together"), "{failure}");
    assert!(failure.message.contains("1 MiB"), "{failure}");
    assert!(failure.hint.is_some(), "{failure}");
    // what was given up makes room again
    assert_eq!(names(&result, "z_pipeline.py"), Ok(vec!["z".to_owned()]));
}

#[test]
fn a_python_that_does_not_come_up_is_given_up() {
    use crate::support::python::with_packages;
    let mut tree = Tree::new();
    tree.pipeline("a_pipeline.py", &plain("a"));
    let machine = tempfile::tempdir().unwrap();
    // leaves its session on the way, as a build script or a site's own module may
    let hangs = "import os, time\nif os.fork():\n    time.sleep(600)\nos.setsid()\nif os.fork():\n    os._exit(0)\n\
                 print('left', os.getpid(), file=__import__('sys').stderr, flush=True)\ntime.sleep(600)\n";
    let importing = with_packages(&machine.path().join("a"), &[("docstring_parser.py", hangs)], "");
    // asked what it is, it answers: that is done isolated
    let starting = with_packages(
        &machine.path().join("b"),
        &[],
        "import sys, time; time.sleep(0 if sys.flags.isolated else 600)",
    );
    for (python, part, hint) in [
        (importing, "kfp 2.17.0 was not imported within", "importtime"),
        (starting, "did not start within", "sitecustomize"),
    ] {
        let mut settings = tree.settings();
        settings.kfp_version = Some(("2.17.0".into(), "test".into()));
        settings.start_timeout = Duration::from_secs(4);
        settings.python = Some(python.clone());
        let failure = tree.compile(&settings).preparation.unwrap();
        assert!(failure.message.contains(part), "{failure}");
        assert!(
            failure.message.contains(&python.display().to_string()),
            "{failure}"
        );
        assert!(failure.hint.as_ref().unwrap().contains(hint), "{failure:?}");
        if hint == "importtime" {
            let said = failure.detail.unwrap_or_default();
            let pid = said.rsplit("left ").next().unwrap().trim().to_owned();
            assert!(pid.parse::<u32>().is_ok(), "{said}");
            assert!(!crate::compile_attacks::is_alive(&pid), "{pid} outlived the run");
        }
    }
}

#[test]
fn preparation_failures_are_every_files_failure() {
    let mut tree = Tree::new();
    tree.pipeline("a_pipeline.py", &plain("a"));
    tree.pipeline("b_pipeline.py", &plain("b"));
    let mut settings = tree.settings();
    settings.python = Some("/nowhere/python".into());
    let result = tree.compile(&settings);
    let failure = result.preparation.unwrap();
    assert!(failure.message.contains("/nowhere/python") && failure.hint.is_some());
    assert!(result.engine.is_none());
    for file in &result.files {
        assert_eq!(file.outcome.as_ref().unwrap_err().message, failure.message);
    }
}

#[test]
fn what_would_be_used_can_be_asked_and_prepared() {
    let mut tree = Tree::new();
    tree.pipeline("a_pipeline.py", &plain("a"));
    tree.file("requirements.txt", "kfp==2.17.0\n");
    let settings = tree.settings();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let prepared = runtime
        .block_on(prepare(&settings, tree.sources(), &Silent))
        .unwrap();
    assert!(prepared.ready);
    let described = runtime.block_on(describe(&settings, tree.sources())).unwrap();
    assert_eq!(
        (described.kfp_version.as_str(), described.kfp_from.as_str()),
        ("2.17.0", "requirements.txt:1")
    );
    assert!(described.ready && described.installer.is_none() && described.pin_hint.is_none());
}
