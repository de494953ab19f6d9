# ---------------------------------------------------------------------------------------------
# The supervisor
# ---------------------------------------------------------------------------------------------


class Running:
    """One child and the ends of its pipes."""

    def __init__(self, identity, pid, slot, result, printed):
        self.identity = identity
        self.pid = pid
        self.slot = slot
        self.started = time.monotonic()
        self.open = {result: 'result', printed: 'printed'}
        self.sent = {'result': 0, 'printed': 0}
        self.dropped = 0
        self.status = None
        self.reason = None
        self.next_look = self.started + 0.5
        self.hides = 0


class Supervisor:

    def __init__(self, settings, control, output):
        self.settings = settings
        self.control = control
        self.output = output
        self.waiting = list(reversed(settings['sources']))
        self.running = {}
        self.by_descriptor = {}
        self.slots = list(range(settings['jobs']))
        self.poll = select.poll()
        self.poll.register(control, select.POLLIN)
        # a child that ends wakes the poll, whether or not its pipes are still held by something
        self.woken, self.wake = os.pipe()
        os.set_blocking(self.woken, False)
        os.set_blocking(self.wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wake, warn_on_full_buffer=False)
        self.poll.register(self.woken, select.POLLIN)

    def send(self, header, data=b''):
        if data:
            header['n'] = len(data)
        write_all(self.output, json.dumps(header).encode('ascii') + b'\n' + data)

    def start(self):
        task = self.waiting.pop()
        slot = self.slots.pop()
        result_read, result_write = os.pipe()
        printed_read, printed_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            gc.enable()
            for other in (self.control, self.output, self.woken, self.wake, result_read, printed_read):
                os.close(other)
            for other in self.by_descriptor:
                os.close(other)
            child_main(task, self.settings, result_write, printed_write, slot)
        os.close(result_write)
        os.close(printed_write)
        child = Running(task['id'], pid, slot, result_read, printed_read)
        self.running[pid] = child
        for descriptor in (result_read, printed_read):
            self.by_descriptor[descriptor] = child
            self.poll.register(descriptor, select.POLLIN)
        self.send({'t': 'start', 'id': task['id']})

    def read(self, descriptor):
        child = self.by_descriptor[descriptor]
        channel = child.open[descriptor]
        data = os.read(descriptor, CHUNK)
        if not data:
            self.close(child, descriptor)
            return
        room = self.settings[channel + '_bytes'] - child.sent[channel]
        if channel == 'result' and len(data) > room:
            self.kill(child, 'result-too-large')
            return
        kept = data[:max(room, 0)]
        child.sent[channel] += len(kept)
        child.dropped += len(data) - len(kept)
        if kept:
            self.send({'t': channel, 'id': child.identity}, kept)

    def close(self, child, descriptor):
        self.poll.unregister(descriptor)
        os.close(descriptor)
        del child.open[descriptor]
        del self.by_descriptor[descriptor]

    def kill(self, child, reason):
        if child.reason is None:
            child.reason = reason
        kill_tree(child.pid)

    def reap(self):
        """Takes the children that ended; whatever they started and left behind goes with them."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self.running.pop(pid, None)
            if child is None:
                continue
            child.status = status
            try:
                os.killpg(pid, signal.SIGKILL)
            except OSError:
                pass
            kill_orphans(self.running, child.slot)
            for descriptor in list(child.open):
                self.drain(child, descriptor)
            self.settings['fence'].clean(child.slot)
            self.slots.append(child.slot)
            self.send({
                't': 'end',
                'id': child.identity,
                'status': status,
                'reason': child.reason,
                'dropped': child.dropped,
                'seconds': time.monotonic() - child.started,
            })

    def drain(self, child, descriptor):
        os.set_blocking(descriptor, False)
        try:
            while descriptor in child.open:
                self.read(descriptor)
        except BlockingIOError:
            self.close(child, descriptor)

    def look(self):
        now = time.monotonic()
        for child in list(self.running.values()):
            if child.reason is not None:
                kill_tree(child.pid)
            elif now - child.started > self.settings['timeout']:
                self.kill(child, 'timeout')
            elif now >= child.next_look:
                child.next_look = now + 0.5
                pids, memory = usage(child.pid, child.slot, self.running)
                directory = self.settings['fence'].directories[child.slot]
                files, written = size(directory)
                try:
                    # without its own fence a child cannot be looked into
                    unnamed, sent = held(pids, directory) if self.settings['fence'].rulesets else (0, 0)
                    written, memory = written + unnamed, memory + sent
                    child.hides = 0
                except Hidden:
                    child.hides += 1
                if child.hides > 1:
                    self.kill(child, 'hidden')
                elif written > self.settings['file_bytes'] or files > 20000:
                    self.kill(child, 'disk')
                elif memory > self.settings['memory']:
                    self.kill(child, 'memory')
                elif len(pids) > self.settings['processes']:
                    self.kill(child, 'processes')

    def run(self):
        while self.waiting or self.running:
            while self.waiting and self.slots:
                self.start()
            # a child that closed its pipes but lives, or one stopped by a limit, must be noticed too
            for descriptor, event in self.poll.poll(100):
                if descriptor == self.control:
                    self.abandon()
                elif descriptor == self.woken:
                    os.read(self.woken, 4096)
                elif descriptor in self.by_descriptor:
                    self.read(descriptor)
            self.reap()
            self.look()
        kill_orphans({})
        self.send({'t': 'done'})

    def abandon(self):
        """The program is gone or wants no more: nothing that was started may stay."""
        self.waiting = []
        for child in list(self.running.values()):
            kill_tree(child.pid)
        kill_orphans({})
        os._exit(0)
