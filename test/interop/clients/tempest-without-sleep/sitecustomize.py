"""Loaded by Python from PYTHONPATH: tempest sleeps ten seconds before it deletes a subnet, because agents have ports there for a
while. The agents of these tests have none.
"""

import sys
import time

sleep = time.sleep


def sleep_unless_pointless(seconds):
    if sys._getframe(1).f_globals.get('__name__') != 'tempest.lib.services.network.subnets_client':
        sleep(seconds)


time.sleep = sleep_unless_pointless
