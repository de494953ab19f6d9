def main():
    # nothing that is loaded here goes away before the end; each child collects its own garbage
    gc.disable()
    # the protocol moves away from 0 and 1, so that nothing printed can ever mix with it
    control, output = os.dup(0), os.dup(1)
    settings = json.loads(CONTROL.readline())
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    sys.dont_write_bytecode = True
    settings['deployed'] = set(settings['deployed'])
    if settings['only_paths']:
        sys.path[:] = [entry for entry in sys.path if not is_site(entry)]
    sys.path[:] = sys.path + [entry for entry in settings['paths'] if entry not in sys.path]
    supervisor = Supervisor(settings, control, output)
    write_all(output, settings['magic'].encode('ascii') + b'\n')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            version = settings['kfp']
            if not settings['apart']:
                version = import_kfp().__version__
                import_kubernetes()
    except BaseException as error:
        supervisor.send({
            't': 'broken',
            'message': '%s: %s' % (type(error).__name__, error),
            'missing': getattr(error, 'name', None),
        })
        return
    if not settings['apart']:
        lighten()
        warm_up(settings['want_yaml'])
        other = replaced(settings['paths'], settings['project']) if settings['project'] else None
        if other is not None:
            supervisor.send({'t': 'apart', 'file': other})
            return
    become_reaper()
    put_between_later()
    import importlib.util  # noqa: every child needs it
    import traceback
    import resource  # noqa: loaded once for all children
    settings['user_processes'] = user_processes()
    try:
        settings['fence'] = Fence(settings['inner'])
        unfenced = settings['fence'].try_out()
    except (ImportError, OSError, AttributeError) as error:
        unfenced = 'Python cannot put up a fence: %s' % error
    if unfenced:
        settings['fence'] = Fence(dict(settings['inner'], rulesets=[], filters=[]))
    linecache.clearcache()
    settings['base_memory'] = base_memory()
    settings['libraries'] = libraries(settings['paths'], settings['project'])
    supervisor.send({
        't': 'hello',
        'python': '%d.%d.%d' % sys.version_info[:3],
        'kfp': version,
        'unfenced': unfenced,
        'libraries': settings['libraries'],
        'search': [entry for entry in sys.path + settings['project'] if os.path.isabs(entry)],
        'loaded': loaded(),
        'variables': sorted(EARLY),
    })
    if unfenced and settings['sandbox_required']:
        return
    gc.freeze()
    try:
        supervisor.run()
    except BaseException:
        # the program is gone, or this one is at fault: either way nothing that was started may stay
        traceback.print_exc()
        supervisor.abandon()
    # all is said and everybody is gone: taking a large interpreter down piece by piece would only take time
    os._exit(0)


def is_site(entry):
    return 'site-packages' in entry or 'dist-packages' in entry


if __name__ == '__main__':
    main()
