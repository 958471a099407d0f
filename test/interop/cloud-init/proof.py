"""Prints what cloud-init has made of a machine as one line."""
import json
import socket
import subprocess


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return None


def ip(*words):
    return json.loads(subprocess.run(['ip', '-j', '-4', *words], capture_output=True, check=True).stdout)


status = json.loads(read('/run/cloud-init/status.json'))['v1']
print('PROOF ' + json.dumps({
    'datasource': status['datasource'],
    'errors': [error for stage in status.values() if isinstance(stage, dict) for error in stage['errors']],
    'instance': read('/var/lib/cloud/data/instance-id').strip(),
    'hostname': socket.gethostname(),
    'keys': read('/home/debian/.ssh/authorized_keys'),
    'written': read('/etc/written'),
    'ran': read('/etc/ran'),
    'addresses': {link['ifname']: [f"{one['local']}/{one['prefixlen']}" for one in link['addr_info']] for link in ip('addr')},
    'routes': [f"{route['dst']} {route.get('gateway', '-')} {route['dev']}" for route in ip('route')],
}), flush=True)
