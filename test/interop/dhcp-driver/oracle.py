"""What the Dnsmasq driver of the installed Neutron writes for network documents.

Reads lines of JSON, {"config": options that differ from their defaults, "network": document}, and answers each with a line: the
texts of the files, the command line, and whether DHCP and metadata are wanted; or {"error": ...}. No process is started. The
addresses of the network's DHCP ports count as those of the DHCP device.
"""
import json
import os
import shutil
import sys
import tempfile
from unittest import mock

from oslo_config import cfg

from neutron.agent.linux import dhcp
from neutron.agent.linux import ip_lib
from neutron.conf.agent import common
from neutron.conf.agent import dhcp as dhcp_options
from neutron.conf import common as core


def configuration(options, state_path):
    conf = cfg.ConfigOpts()
    conf.register_opts(core.core_opts)
    dhcp_options.register_agent_dhcp_opts(conf)
    common.register_interface_opts(conf)
    conf([], project='neutron', default_config_files=[])
    conf.set_override('dhcp_confs', os.path.join(state_path, 'dhcp'))
    for name, value in options.items():
        conf.set_override(name, value.replace('$state_path', state_path) if isinstance(value, str) else value)
    return conf


def device_addresses(network):
    prefixes = {subnet['id']: subnet['cidr'].split('/')[1]
                for subnet in network['subnets'] + network.get('non_local_subnets', [])}
    return [{'cidr': '%s/%s' % (fixed['ip_address'], prefixes[fixed['subnet_id']])}
            for port in network['ports'] if port.get('device_owner') == 'network:dhcp'
            for fixed in port['fixed_ips'] if fixed['subnet_id'] in prefixes]


def rendered(options, document, state_path):
    conf = configuration(options, state_path)
    network = dhcp.NetModel(document)
    driver = dhcp.Dnsmasq(conf, network, mock.Mock(), version=None, plugin=None)
    driver._IS_HOST_TAG_SUPPORTED = True
    # It is none of the bridges of which dnsmasq must be told.
    driver.device_manager.driver.bridged = True
    # Newer drivers look for OVN's metadata port.
    driver.device_manager.plugin.get_ports.return_value = []
    with mock.patch.object(ip_lib, 'get_devices_with_ip', return_value=device_addresses(document)), \
            mock.patch.object(dhcp.Dnsmasq, 'interface_name', new_callable=mock.PropertyMock, return_value='tap0'):
        driver._output_init_lease_file()
        driver._output_config_files()
        command = driver._build_cmdline_callback(driver.get_conf_file_name('pid'))

    def text(name):
        with open(driver.get_conf_file_name(name)) as file:
            return file.read()

    return {
        'host': text('host'),
        'addn_hosts': text('addn_hosts'),
        'opts': text('opts'),
        'leases': text('leases'),
        'cmdline': [word.replace(state_path, '$state_path') for word in command if word],
        'enable_dhcp': any(subnet['enable_dhcp'] for subnet in driver._get_all_subnets(network)),
        'enable_metadata': dhcp.Dnsmasq.should_enable_metadata(conf, network),
    }


def main():
    with mock.patch.object(dhcp, 'DeviceManager'):
        for line in sys.stdin:
            asked = json.loads(line)
            state_path = tempfile.mkdtemp(prefix='oracle')
            try:
                answer = rendered(asked['config'], asked['network'], state_path)
            except Exception as error:  # what the driver raises is its answer
                answer = {'error': '%s: %s' % (type(error).__name__, error)}
            finally:
                shutil.rmtree(state_path, ignore_errors=True)
            print(json.dumps(answer), flush=True)


main()
