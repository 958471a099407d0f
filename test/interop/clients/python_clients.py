"""Functional tests with the Python libraries openstacksdk and python-neutronclient: `python_clients.py openstacksdk|neutronclient`.

For each resource: create, show, list with a filter, update, delete. Logs in with OS_* variables. Prints one JSON object per test:
test, outcome (passed, failed) and why.
"""

import json
import sys
import traceback


def value(document, key):
    return document[key] if isinstance(document, dict) else getattr(document, key)


# For each resource: its name in openstacksdk and in python-neutronclient (None: it does not know it), what it is created with, and an update. `{name}` is the id
# of an earlier resource, which exists until the end; resources are deleted in reverse order.
RESOURCES = [
    ('network', 'network', {'name': 'net', 'mtu': 1400}, {'description': 'changed', 'is_admin_state_up|admin_state_up': False}),
    ('subnet', 'subnet', {'name': 'sub', 'network_id': '{network}', 'ip_version': 4, 'cidr': '10.1.0.0/24'},
     {'dns_nameservers': ['192.0.2.53'], 'name': 'changed'}),
    ('address_scope', 'address_scope', {'name': 'scope', 'ip_version': 4}, {'name': 'changed'}),
    ('subnet_pool', 'subnetpool', {'name': 'pool', 'prefixes': ['10.50.0.0/16'], 'address_scope_id': '{address_scope}'},
     {'description': 'changed', 'default_prefix_length|default_prefixlen': 26}),
    ('security_group', 'security_group', {'name': 'group', 'description': 'd'}, {'name': 'changed', 'description': 'e'}),
    ('address_group', None, {'name': 'addresses', 'addresses': ['192.0.2.0/24']}, {'name': 'changed'}),
    ('security_group_rule', 'security_group_rule',
     {'security_group_id': '{security_group}', 'direction': 'ingress', 'ether_type|ethertype': 'IPv4', 'protocol': 'tcp',
      'port_range_min': 80, 'port_range_max': 443}, None),
    ('qos_policy', 'policy', {'name': 'qos', 'is_shared|shared': True}, {'description': 'changed'}),
    ('port', 'port', {'name': 'port', 'network_id': '{network}', 'security_group_ids|security_groups': ['{security_group}'],
                      'qos_policy_id': '{qos_policy}'},
     {'name': 'changed', 'allowed_address_pairs': [{'ip_address': '10.1.0.99'}], 'extra_dhcp_opts': []}),
    ('router', 'router', {'name': 'router', 'external_gateway_info': {'network_id': '{public}'}}, {'description': 'changed'}),
    ('ip|floatingip', 'floatingip', {'floating_network_id': '{public}', 'description': 'd'}, {'description': 'changed'}),
    ('trunk', 'trunk', {'name': 'trunk', 'port_id': '{port}', 'sub_ports': []}, {'name': 'changed'}),
    ('segment', 'segment', {'name': 'segment', 'network_id': '{network}', 'network_type': 'vlan', 'physical_network': 'physnet1',
                            'segmentation_id': 777}, {'description': 'changed'}),
    ('metering_label', 'metering_label', {'name': 'label', 'description': 'd'}, None),
    ('metering_label_rule', 'metering_label_rule',
     {'metering_label_id': '{metering_label}', 'direction': 'ingress', 'remote_ip_prefix': '192.0.2.0/24'}, None),
    ('rbac_policy', 'rbac_policy', {'object_id': '{network}', 'object_type': 'network', 'action': 'access_as_shared',
                                    'target_project_id|target_tenant': 'f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0'}, None),
    ('service_profile', 'service_profile', {'description': 'd', 'meta_info|metainfo': 'x'}, {'description': 'changed'}),
    ('flavor', 'flavor', {'name': 'flavor', 'service_type': 'L3_ROUTER_NAT'}, {'description': 'changed'}),
]

# QoS rules are below their policy.
QOS_RULES = [
    ('bandwidth_limit', {'max_kbps': 1000, 'max_burst_kbps': 100}, {'max_kbps': 2000}),
    ('dscp_marking', {'dscp_mark': 10}, {'dscp_mark': 12}),
    ('minimum_bandwidth', {'min_kbps': 500, 'direction': 'egress'}, {'min_kbps': 600}),
]


class Sdk:
    def __init__(self):
        import openstack

        self.network = openstack.connect().network

    def named(self, values):
        return {key.split('|')[0]: known for key, known in values.items()}

    def names(self, names):
        return names[0].split('|')[0]

    def plural(self, name):
        return name[:-1] + 'ies' if name.endswith('y') and name != 'subnet' else name + 's'

    def public(self):
        return self.network.find_network('public', ignore_missing=False).id

    def create(self, names, values):
        return getattr(self.network, 'create_' + self.names(names))(**self.named(values))

    def show(self, names, id):
        return getattr(self.network, 'get_' + self.names(names))(id)

    def list(self, names, **filters):
        return list(getattr(self.network, self.plural(self.names(names)))(**filters))

    def update(self, names, id, values):
        return getattr(self.network, 'update_' + self.names(names))(id, **self.named(values))

    def delete(self, names, id):
        getattr(self.network, 'delete_' + self.names(names))(id, ignore_missing=False)

    def qos_rule(self, kind, policy, values, changes):
        name = 'qos_%s_rule' % kind
        rule = getattr(self.network, 'create_' + name)(policy, **values)
        getattr(self.network, 'get_' + name)(rule, policy)
        assert list(getattr(self.network, name + 's')(policy))
        changed = getattr(self.network, 'update_' + name)(rule, policy, **changes)
        check(changed, changes)
        getattr(self.network, 'delete_' + name)(rule, policy, ignore_missing=False)

    def further(self, ids):
        network = self.network
        yield 'extensions', lambda: [e for e in network.extensions() if e.alias == 'router'][0]
        yield 'find extension', lambda: network.find_extension('security-group', ignore_missing=False)
        yield 'agents', lambda: [network.get_agent(agent) for agent in network.agents()][0]
        yield 'availability zones', lambda: list(network.availability_zones())[0]
        yield 'find by name', lambda: network.find_network('public', ignore_missing=False)
        yield 'networks with tags', lambda: list(network.networks(tags='none', any_tags='x'))
        yield 'set tags', lambda: network.set_tags(network.get_network(ids['network']), ['a', 'b'])
        yield 'router interface', lambda: (
            network.add_interface_to_router(ids['router'], subnet_id=ids['subnet']),
            network.remove_interface_from_router(ids['router'], subnet_id=ids['subnet']))
        yield 'extra routes', lambda: (
            network.add_interface_to_router(ids['router'], subnet_id=ids['subnet']),
            network.add_extra_routes_to_router(
                ids['router'], {'router': {'routes': [{'destination': '192.0.2.0/24', 'nexthop': '10.1.0.9'}]}}),
            network.remove_extra_routes_from_router(
                ids['router'], {'router': {'routes': [{'destination': '192.0.2.0/24', 'nexthop': '10.1.0.9'}]}}),
            network.remove_interface_from_router(ids['router'], subnet_id=ids['subnet']))
        yield 'addresses of a group', lambda: (
            network.add_addresses_to_address_group(ids['address_group'], ['203.0.113.0/24']),
            network.remove_addresses_from_address_group(ids['address_group'], ['203.0.113.0/24']))
        yield 'IP availability', lambda: network.get_network_ip_availability(ids['network'])
        yield 'quotas', lambda: [network.get_quota(quota.id) for quota in network.quotas()]
        yield 'quota of a project', lambda: network.get_quota(network.get_network(ids['network']).project_id, details=True)
        yield 'QoS rule types', lambda: [network.get_qos_rule_type(kind.type) for kind in network.qos_rule_types()][0]
        yield 'service providers', lambda: list(network.service_providers())[0]
        yield 'default security group rules of a new project', lambda: list(network.security_group_rules())[0]
        yield 'paging', lambda: list(network.networks(limit=1))[1]
        yield 'revision', lambda: network.update_network(ids['network'], if_revision=network.get_network(ids['network']).revision_number, name='x')


class Neutronclient:
    def __init__(self):
        import os

        from keystoneauth1 import session
        from keystoneauth1.identity import v3
        from neutronclient.v2_0 import client

        self.session = session.Session(auth=v3.Password(
            auth_url=os.environ['OS_AUTH_URL'], username=os.environ['OS_USERNAME'], password=os.environ['OS_PASSWORD'],
            project_name=os.environ['OS_PROJECT_NAME'], user_domain_name='Default', project_domain_name='Default'))
        self.client = client.Client(session=self.session, region_name=os.environ['OS_REGION_NAME'])

    METHODS = {'policy': ('qos_policy', 'qos_policies')}

    def named(self, values):
        return {key.split('|')[-1]: known for key, known in values.items()}

    def methods(self, names):
        name = names[1]
        plural = name[:-1] + 'ies' if name.endswith('y') else name + 's'
        return self.METHODS.get(name, (name, plural)) + (name, plural)

    def public(self):
        return self.client.list_networks(name='public')['networks'][0]['id']

    def create(self, names, values):
        method, _, key, _ = self.methods(names)
        return getattr(self.client, 'create_' + method)({key: self.named(values)})[key]

    def show(self, names, id):
        method, _, key, _ = self.methods(names)
        return getattr(self.client, 'show_' + method)(id)[key]

    def list(self, names, **filters):
        _, method, _, key = self.methods(names)
        return getattr(self.client, 'list_' + method)(**filters)[key]

    def update(self, names, id, values):
        method, _, key, _ = self.methods(names)
        return getattr(self.client, 'update_' + method)(id, {key: self.named(values)})[key]

    def delete(self, names, id):
        getattr(self.client, 'delete_' + self.methods(names)[0])(id)

    def qos_rule(self, kind, policy, values, changes):
        key = kind + '_rule'
        method = {'bandwidth_limit': 'bandwidth_limit', 'dscp_marking': 'dscp_marking', 'minimum_bandwidth': 'minimum_bandwidth'}[kind] + '_rule'
        rule = getattr(self.client, 'create_' + method)(policy, {key: values})[key]
        getattr(self.client, 'show_' + method)(rule['id'], policy)
        assert getattr(self.client, 'list_' + method + 's')(policy)[key + 's']
        check(getattr(self.client, 'update_' + method)(rule['id'], policy, {key: changes})[key], changes)
        getattr(self.client, 'delete_' + method)(rule['id'], policy)

    def further(self, ids):
        client = self.client
        yield 'extensions', lambda: client.list_extensions()['extensions'][0]
        yield 'extension', lambda: client.show_extension('router')['extension']
        yield 'agents', lambda: [client.show_agent(agent['id']) for agent in client.list_agents()['agents']][0]
        yield 'availability zones', lambda: client.list_availability_zones()['availability_zones'][0]
        yield 'tags', lambda: (
            client.replace_tag('networks', ids['network'], {'tags': ['a']}), client.add_tag('networks', ids['network'], 'b'),
            client.remove_tag('networks', ids['network'], 'a'), client.remove_tag_all('networks', ids['network']))
        yield 'router interface', lambda: (
            client.add_interface_router(ids['router'], {'subnet_id': ids['subnet']}),
            client.remove_interface_router(ids['router'], {'subnet_id': ids['subnet']}))
        yield 'gateway', lambda: (
            client.remove_gateway_router(ids['router']),
            client.add_gateway_router(ids['router'], {'network_id': self.public()}))
        yield 'subports', lambda: client.trunk_get_subports(ids['trunk'])['sub_ports']
        yield 'IP availability', lambda: client.show_network_ip_availability(ids['network'])
        yield 'quotas', lambda: client.list_quotas()['quotas']
        yield 'quota of a project', lambda: (
            client.show_quota(self.session.get_project_id()), client.show_quota_default(self.session.get_project_id()),
            client.update_quota(self.session.get_project_id(), {'quota': {'network': 50}}),
            client.delete_quota(self.session.get_project_id()))
        yield 'schedulers', lambda: (
            client.list_dhcp_agent_hosting_networks(ids['network']), client.list_l3_agent_hosting_routers(ids['router']))
        yield 'QoS rule types', lambda: client.list_qos_rule_types()['rule_types'][0]
        yield 'service providers', lambda: client.list_service_providers()['service_providers'][0]
        yield 'paging', lambda: client.list_networks(limit=1)['networks'][1]


def check(document, values):
    for key, wanted in values.items():
        if key in ('allowed_address_pairs', 'extra_dhcp_opts'):
            continue
        assert value(document, key) == wanted, '%s is %r instead of %r' % (key, value(document, key), wanted)


def attempt(test, action):
    try:
        result = action()
        print(json.dumps({'test': test, 'outcome': 'passed'}), flush=True)
        return result
    except Exception:
        print(json.dumps({'test': test, 'outcome': 'failed', 'why': traceback.format_exc()[-1500:]}), flush=True)


def filled(known, ids):
    if isinstance(known, dict):
        return {key: filled(inner, ids) for key, inner in known.items()}
    if isinstance(known, list):
        return [filled(inner, ids) for inner in known]
    return ids[known[1:-1]] if isinstance(known, str) and known.startswith('{') else known


def main(library):
    client = {'openstacksdk': Sdk, 'neutronclient': Neutronclient}[library]()
    ids = {'public': client.public()}
    made = []
    for first, second, values, changes in RESOURCES:
        if library == 'neutronclient' and second is None:
            continue
        names = (first, second)
        name = first.split('|')[-1]
        created = attempt(name + ' create', lambda: client.create(names, filled(values, ids)))
        if created is None:
            continue
        id = ids[name] = value(created, 'id')
        made.append((names, name, id))
        attempt(name + ' show', lambda: check(client.show(names, id), {'id': id}))
        attempt(name + ' list', lambda: [value(one, 'id') for one in client.list(names)].index(id))
        if changes is not None:
            attempt(name + ' update', lambda: check(client.update(names, id, changes), client.named(changes)))
    for kind, values, changes in QOS_RULES:
        attempt('qos %s rule' % kind, lambda: client.qos_rule(kind, ids['qos_policy'], values, changes))
    for test, action in client.further(ids):
        attempt(test, action)
    for names, name, id in reversed(made):
        attempt(name + ' delete', lambda: client.delete(names, id))


main(sys.argv[1])
