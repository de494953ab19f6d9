def printable(text):
    return text if text is None else text.encode('utf-8', 'backslashreplace').decode('utf-8')


def around(text, column):
    """(part, characters that are missing before it): of a very long line what lies around the place."""
    if text is None or len(text) <= 400:
        return text, 0
    start = max(0, column - 200)
    rest = '…' if start + 400 < len(text) else ''
    if start == 0:
        return text[:400] + rest, 0
    return '…' + text[start:start + 400] + rest, start - 1


def encode(document):
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(',', ':')).encode('utf-8')


def large_integers(value, depth=0):
    if isinstance(value, bool) or depth > 50:
        return
    if isinstance(value, int):
        if abs(value) > 2**53 and int(float(value)) != value:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from large_integers(item, depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from large_integers(item, depth + 1)


def write_all(descriptor, data):
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view):]


def child_main(task, settings, result, printed, slot):
    """Never returns."""
    try:
        os.setsid()
        os.dup2(printed, 1)
        os.dup2(printed, 2)
        os.close(printed)
        fence(settings, slot)
        sys.stdin = open(os.devnull, encoding='utf-8')
        sys.stdout = open(1, 'w', encoding='utf-8', errors='backslashreplace', closefd=False)
        sys.stderr = open(2, 'w', encoding='utf-8', errors='backslashreplace', closefd=False, buffering=1)
        sys.argv = ['kfp', 'dsl', 'compile', '--py', task['path']]
        self_pid = os.getpid()
        header, documents = Child(task, settings).run()
        if os.getpid() != self_pid:
            os._exit(0)  # the file forked at import, and this is the copy: the original answers
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BaseException:
                pass
        os.set_blocking(result, True)
        write_all(result, b'\n' + settings['nonce'].encode('ascii') + b'\n' + json.dumps(header).encode('ascii') + b'\n')
        for document in documents:
            write_all(result, document)
        os._exit(0)
    except BaseException as error:
        try:
            write_all(2, ('kfp-gitops worker: %r\n' % (error,)).encode('utf-8', 'replace'))
        finally:
            os._exit(121)
