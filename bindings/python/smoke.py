"""A quick trial of Doorstep from Python, and the test that the generated module works: enrol, record, sync, read back.

    bindings/with-server python3 bindings/python/smoke.py

The generated module and the library are looked for in the folder that PYTHONPATH names; `tests/run` makes it.
"""

import sys
import tempfile

import doorstep_ffi as doorstep


class Observer(doorstep.SyncObserver):
    def __init__(self):
        import threading

        self.ended = threading.Event()

    def on_progress(self, status):
        pass

    def on_finished(self):
        self.ended.set()


def sync(app):
    observer = Observer()
    handle = app.sync().start_sync(observer)
    observer.ended.wait()
    return handle.result()


def main(server, code):
    with tempfile.TemporaryDirectory() as folder:
        options = doorstep.OpenOptions(folder=folder + "/phone")
        app = doorstep.FieldApp.open(options, doorstep.Platform())
        try:
            app.households().list(None)
            app.enrol(server, "AAAA-AAAA", "python")
            raise SystemExit("a code that does not exist was taken")
        except doorstep.DoorstepError.Rejected as rejected:
            assert rejected.code == "hub.enrolment_code", rejected
        print(app.enrol(server, code, "python").name)
        sync(app)
        door = app.households().add(None, doorstep.HouseholdDetails(door="1单元101"), [])
        subject = doorstep.VisitSubject.HOUSEHOLD(door)
        app.visits().record(doorstep.VisitDraft(subject=subject, purpose=doorstep.Purpose.ROUTINE(), outcome=doorstep.Outcome.MET()))
        assert sync(app).accepted == 2
        row = next(row for row in app.households().list(None) if row.id == door)
        assert row.sync.is_ACCEPTED() and row.last_visit.count == 1, row
        print(app.diagnostics())
        app.shut_down()
        try:
            app.identity()
            raise SystemExit("a phone that was shut down answered")
        except doorstep.DoorstepError.Closed:
            print("ok")


if __name__ == "__main__":
    main(*sys.argv[1:3])
