//! Every way to read a variable that is set and withheld, by the file or on its behalf; and what is none.

use crate::compile_support::{Tree, of, plain};

/// A package that is installed, as far as the compile can tell.
const PACKAGE: &str = "import os\n\
    def setting(name, default=None):\n    return os.environ.get(name, default)\n\
    class Settings:\n    def __init__(self):\n        found = {key.lower(): value for key, value in os.environ.items()}\n\
    \x20       for name in type(self).__annotations__:\n            setattr(self, name, found.get(name))\n\
    def own_needs():\n    return [os.environ.get(name) for name in ('NO_COLOR', 'CI', 'HTTPS_PROXY')]\n";

/// What a file does at its top level, and the variables that it is told to have read.
const WAYS: &[(&str, &str)] = &[
    (
        "x = os.environ['IMAGE_TAG'] if 'IMAGE_TAG' in os.environ else 0",
        "IMAGE_TAG",
    ),
    ("x = 'IMAGE_TAG' in os.environ", "IMAGE_TAG"),
    ("x = os.environ.get('IMAGE_TAG')", "IMAGE_TAG"),
    ("x = os.getenv('IMAGE_TAG', 'latest')", "IMAGE_TAG"),
    ("x = os.environ.setdefault('IMAGE_TAG', 'latest')", "IMAGE_TAG"),
    ("x = os.environ.pop('IMAGE_TAG', None)", "IMAGE_TAG"),
    ("x = os.getenvb(b'IMAGE_TAG')", "IMAGE_TAG"),
    ("x = os.environb.get(b'IMAGE_TAG')", "IMAGE_TAG"),
    ("x = b'IMAGE_TAG' in os.environb", "IMAGE_TAG"),
    ("import posix\nx = posix.environ.get(b'IMAGE_TAG')", "IMAGE_TAG"),
    ("x = os.path.expandvars('image:$IMAGE_TAG')", "IMAGE_TAG"),
    (
        "x = os.path.expandvars('image:${IMAGE_TAG}-${ROLE}')",
        "IMAGE_TAG ROLE",
    ),
    (
        "import string\nx = string.Template('$IMAGE_TAG').safe_substitute(os.environ)",
        "IMAGE_TAG",
    ),
    ("import helper\nx = helper.tag()", "IMAGE_TAG"),
    ("x = dict(os.environ).get('IMAGE_TAG', 'latest')", "IMAGE_TAG"),
    ("x = os.environ.copy().get('IMAGE_TAG', 'latest')", "IMAGE_TAG"),
    ("x = {**os.environ}.get('IMAGE_TAG', 'latest')", "IMAGE_TAG"),
    (
        "x = [value for name, value in os.environ.items() if name == 'IMAGE_TAG']",
        "IMAGE_TAG",
    ),
    (
        "x = [name for name in os.environ if name in ('IMAGE_TAG', 'ROLE')]",
        "IMAGE_TAG ROLE",
    ),
    (
        "x = {name: value for name, value in os.environ.items() if name.startswith('APP_')}",
        "APP_COLOUR APP_SIZE",
    ),
    (
        "import acme_settings\nx = acme_settings.setting('IMAGE_TAG')",
        "IMAGE_TAG",
    ),
    (
        "import acme_settings\nclass Mine(acme_settings.Settings):\n    image_tag: str\nx = Mine().image_tag",
        "IMAGE_TAG",
    ),
    (
        "import subprocess\nx = subprocess.run('echo image:$IMAGE_TAG', shell=True, stdout=-1).stdout",
        "IMAGE_TAG",
    ),
    (
        "import subprocess\nx = subprocess.run(['sh', '-c', 'echo ${ROLE:-none}'], stdout=-1).stdout",
        "ROLE",
    ),
    ("x = os.system('true $IMAGE_TAG')", "IMAGE_TAG"),
    ("x = os.popen('printenv IMAGE_TAG').read()", "IMAGE_TAG"),
    (
        "import subprocess\nx = subprocess.run(['sh', 'tag.sh'], stdout=-1, cwd=os.path.dirname(__file__)).stdout",
        "IMAGE_TAG",
    ),
    (
        "import subprocess\nx = subprocess.getoutput('sh ' + os.path.dirname(__file__) + '/tag.sh | tail -1')",
        "IMAGE_TAG",
    ),
    (
        "import subprocess\nx = subprocess.run([sys.executable, os.path.dirname(__file__) + '/role.py'], stdout=-1).stdout",
        "ROLE",
    ),
    // and what says nothing about the pipeline
    (
        "import subprocess\nx = subprocess.run(['sh', os.path.dirname(__file__) + '/plain.sh'], stdout=-1).stdout",
        "",
    ),
    ("x = os.environ.get('NOT_SET_ANYWHERE')", ""),
    ("x = os.environ.get('HOME')", ""),
    ("x = dict(os.environ)", ""),
    ("x = {**os.environ, 'OWN': '1'}", ""),
    ("x = 'IMAGE_TAG'", ""),
    ("import acme_settings\nx = acme_settings.own_needs()", ""),
    ("x = os.environ.get('NO_COLOR')", "NO_COLOR"),
    ("os.environ['IMAGE_TAG'] = 'own'", ""),
    (
        "import urllib.request\nx = urllib.request.getproxies()\ny = 'IMAGE_TAG'",
        "",
    ),
    (
        "import subprocess\nx = subprocess.run(['true', 'IMAGE_TAG'])\ny = 'sh -c \"$IMAGE_TAG\"'",
        "",
    ),
    (
        "import subprocess\nx = subprocess.run('true $IMAGE_TAG', shell=True, env={'IMAGE_TAG': 'own'})",
        "",
    ),
    ("import acme_client", ""),
];

#[test]
fn each_way_of_reading_is_noticed_and_nothing_else() {
    let mut tree = Tree::new();
    tree.file("site-packages/acme_settings.py", PACKAGE);
    tree.file(
        "site-packages/acme_client/__init__.py",
        "import os\nLEVEL = os.environ.get('ACME_LEVEL', 'info')\nCOLOUR = os.environ.get('NO_COLOR')\n",
    );
    tree.file(
        "helper.py",
        "import os\ndef tag():\n    return os.environ.get('IMAGE_TAG', 'latest')\n",
    );
    tree.file("tag.sh", "echo image:${IMAGE_TAG:-latest}\n")
        .file("role.py", "import os\nprint(os.environ.get('ROLE', 'none'))\n")
        .file(
            "plain.sh",
            "# IMAGE_TAG and 'ROLE' are no business of this\necho $HOME\n",
        );
    for (number, (code, _)) in WAYS.iter().enumerate() {
        tree.pipeline(
            &format!("w{number}_pipeline.py"),
            &format!(
                "import os, sys\nsys.path.insert(0, os.path.dirname(__file__) + '/site-packages')\n{code}\n{}",
                plain(&format!("w{number}"))
            ),
        );
    }
    let mut settings = tree.settings();
    settings
        .environment
        .retain(|name, _| name == "PATH" || name == "HOME");
    for name in [
        "IMAGE_TAG",
        "ROLE",
        "APP_COLOUR",
        "APP_SIZE",
        "NO_COLOR",
        "CI",
        "HTTPS_PROXY",
        "ACME_LEVEL",
    ] {
        settings.environment.insert(name.into(), "set".into());
    }
    // the same where nothing is recorded, and where a result comes from the cache
    let cache = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(
        settings.cache_directory.join("python"),
        cache.path().join("python"),
    )
    .unwrap();
    for round in 0..3 {
        settings.use_cache = round > 0;
        if settings.use_cache {
            settings.cache_directory = cache.path().to_owned();
        }
        let result = tree.compile(&settings);
        let mut wrong = Vec::new();
        for (number, (code, expected)) in WAYS.iter().enumerate() {
            let file = of(&result, &format!("w{number}_pipeline.py"));
            assert!(file.outcome.is_ok(), "{code}: {:?}", file.outcome);
            if file.withheld.join(" ") != *expected {
                wrong.push(format!("round {round}: {code}: {:?}", file.withheld));
            }
            let asked: Vec<_> = file
                .warnings
                .iter()
                .filter(|text| text.contains("asked for"))
                .collect();
            if code.contains("acme_client") {
                assert!(
                    asked.len() == 1
                        && asked[0].contains("`acme_client` asked for the variable `ACME_LEVEL`")
                        && asked[0].contains("environment: [ACME_LEVEL]"),
                    "{asked:?}"
                );
            } else if !asked.is_empty() {
                wrong.push(format!("round {round}: {code}: {asked:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        if round == 2 {
            assert!(result.engine.as_ref().unwrap().cached > 10, "{:?}", result.engine);
        }
    }
}
