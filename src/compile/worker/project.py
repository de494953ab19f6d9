# ---------------------------------------------------------------------------------------------
# The project's own packages: a stranger's code, which only children run
# ---------------------------------------------------------------------------------------------


def replaced(pinned, project):
    """The first of the files loaded here in whose place the project's packages have another one, or None.

    Looks at bytes and runs nothing. Where it finds none, what a child goes on with is what it would have imported.
    """
    for name, module in sorted(sys.modules.items()):
        place = getattr(module, '__file__', None)
        is_namespace = not place and hasattr(module, '__path__')
        for folder in pinned:
            if isinstance(place, str) and place.startswith(folder + os.sep):
                relative = place[len(folder) + 1:]
                if not any(same_bytes(place, os.path.join(other, relative)) for other in project):
                    return relative
            elif is_namespace and any(entry.startswith(folder + os.sep) for entry in module.__path__):
                # with a file of its own the package would be another one, which hides the rest of it
                relative = os.path.join(name.replace('.', os.sep), '__init__.py')
                if any(os.path.lexists(os.path.join(other, relative)) for other in project):
                    return relative
    return None


def same_bytes(one, other):
    try:
        # a build may leave anything under a name: a pipe would never end
        descriptor = os.open(other, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    with open(descriptor, 'rb') as theirs, open(one, 'rb') as ours:
        state = os.fstat(descriptor)
        return stat.S_ISREG(state.st_mode) and state.st_size == os.fstat(ours.fileno()).st_size and ours.read() == theirs.read()


def join_project(settings):
    """In a child, after its fence is up: from here on everything is imported from the project's packages."""
    pinned, project = settings['paths'], settings['project']
    if not project:
        return
    sys.path[:] = [entry for entry in sys.path if entry not in pinned] + project
    if settings['apart']:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                import_kfp()
                import_kubernetes()
            lighten()
        except Exception as error:
            raise Refused('packages', 'kfp cannot be imported with the packages that the project requires: %s: %s' %
                          (type(error).__name__, error))
        return
    # what is loaded stays, being the same; the rest of its packages is theirs
    for module in list(sys.modules.values()):
        places = getattr(module, '__path__', None)
        if isinstance(places, list):
            places[:] = [moved(place, pinned, project[0]) for place in places]


def moved(place, pinned, project):
    for folder in pinned:
        if place == folder or place.startswith(folder + os.sep):
            return project + place[len(folder):]
    return place
