import { writeFileSync, mkdirSync, readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { startMariadb } from './mariadb.ts';
import { startKeystone } from './keystone.ts';
const base = '/tmp/conform';
const db = await startMariadb({ durable: false });
const ks = await startKeystone();
const conf = async (name: string, port: number, extra: string) => {
  const url = (await db.database());
  mkdirSync(`${base}/${name}-state`, { recursive: true });
  const own = readFileSync('/work/shared/rest/neutron.conf', 'utf8').replace('auth_strategy = noauth', '');
  const text = own.replace('[DEFAULT]', `[DEFAULT]\nbind_host = 127.0.0.1\nbind_port = ${port}\nstate_path = ${base}/${name}-state\napi_workers = 1\nrpc_workers = 1\nrpc_state_report_workers = 1\ntransport_url = fake://\nnotify_nova_on_port_status_changes = false\nnotify_nova_on_port_data_changes = false\ndebug = false\napi_paste_config = /etc/neutron/api-paste.ini\n${extra}`)
    + `\n[database]\nconnection = ${url}\nmax_pool_size = 10\n[oslo_concurrency]\nlock_path = ${base}/${name}-state/lock\n[experimental]\nlinuxbridge = true\n`;
  const file = `${base}/${name}.conf`; writeFileSync(file, text);
  await new Promise<void>((ok, bad) => { const p = spawn('neutron-db-manage', ['--config-file', file, 'upgrade', 'heads'], { stdio: ['ignore', 'ignore', 'inherit'] }); p.on('exit', (c) => c ? bad(new Error('migrate ' + c)) : ok()); });
  const p = spawn('setpriv', ['--pdeathsig=TERM', 'neutron-server', '--config-file', file, '--log-file', `${base}/${name}.log`], { stdio: 'ignore' });
  p.on('exit', (c) => console.log(name, 'exited', c));
  console.log(name, `http://127.0.0.1:${port}`, 'pid', p.pid);
};
console.log('keystone', ks.url, ks.adminPassword);
writeFileSync(`${base}/keystone.json`, JSON.stringify({ url: ks.url, password: ks.adminPassword }));
const quotas = '\n[quotas]\n' + ['network','subnet','port','router','floatingip','security_group','security_group_rule','rbac_policy','subnetpool','trunk'].map(n=>`quota_${n} = -1`).join('\n');
await conf('rest', 9861, 'auth_strategy = noauth');
const own = `auth_strategy = keystone\n[keystone_authtoken]\nwww_authenticate_uri = ${ks.url}\nauth_url = ${ks.url}\nauth_type = password\nusername = admin\npassword = ${ks.adminPassword}\nproject_name = admin\nuser_domain_name = Default\nproject_domain_name = Default\n${quotas}\n[DEFAULT]`;
await conf('policy', 9862, own);
setInterval(() => undefined, 1e6);
process.on('SIGTERM', async () => { await db.dispose(); await ks.dispose(); process.exit(0); });
