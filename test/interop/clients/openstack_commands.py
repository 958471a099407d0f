"""Runs commands of the `openstack` client in one process, which saves the second that it takes to load.

Standard input: one JSON list of words per line. Standard output: one JSON object per line, with code, stdout and stderr.
With the argument `--list`, prints the names of the network commands that are installed instead.
"""

import contextlib
import importlib.metadata
import io
import json
import sys

GROUPS = ('openstack.network.v2', 'openstack.neutronclient.v2')


def commands():
    for group in GROUPS:
        for point in importlib.metadata.entry_points(group=group):
            yield point.name.replace('_', ' ')


def execute(words):
    from openstackclient import shell

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = shell.OpenStackShell().run(words)
        except SystemExit as exit:
            code = exit.code
    return {'code': code or 0, 'stdout': out.getvalue(), 'stderr': err.getvalue()}


def main():
    if '--list' in sys.argv:
        print(json.dumps(sorted(commands())))
        return
    for line in sys.stdin:
        print(json.dumps(execute(json.loads(line))), flush=True)


main()
