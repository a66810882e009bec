// SPDX-License-Identifier: Apache-2.0
// The questions of bench_policy to Casbin and Cedar, each in its best case: loaded and
// parsed before, only the people who are asked about. usage: peer_engines.js MODULES JSON
'use strict';
const fs = require('fs');
const path = require('path');

const [modules, file] = process.argv.slice(2);
const name = path.basename(file, '.json');
const data = JSON.parse(fs.readFileSync(file));
const asked = [...new Set(data.queries.map((q) => q[0]))];
const SECONDS = 8; // an engine is asked no longer than this

function load(id) {
  try {
    return require(path.join(modules, id));
  } catch (e) {
    console.log(`${name}: ${id}: skipped, not installed (make bench-peers)`);
    return null;
  }
}

async function measure(what, decide) {
  const us = [];
  const end = Date.now() + SECONDS * 1000;
  let wrong = 0;
  for (const [user, vm, priv, want] of data.queries) {
    const t = process.hrtime.bigint();
    const got = await decide(user, vm, priv);
    us.push(Number(process.hrtime.bigint() - t) / 1000);
    wrong += got !== (want === 1);
    if (Date.now() > end) break;
  }
  us.sort((a, b) => a - b);
  console.log(`${name}: ${what}: ${us[us.length >> 1].toFixed(1)} us, ${us.length} questions, ` +
    `disagreements ${wrong}`);
}

// ---------------------------------------------------------------- Casbin

const MODEL = `
[request_definition]
r = sub, obj, act
[policy_definition]
p = grant, act
[role_definition]
g = _, _
g2 = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && g(r.sub, p.grant) && g2(r.obj, p.grant)
`;

async function casbin() {
  const lib = load('casbin');
  if (!lib) return;
  const t = Date.now();
  const e = await lib.newEnforcer(lib.newModel(MODEL));
  const p = [], g = [], g2 = [];
  data.role_privs.forEach((l, r) => l.forEach((x) => p.push([`r${r}`, data.privs[x]])));
  data.role_vms.forEach((l, r) => l.forEach((x) => g2.push([data.vms[x], `r${r}`])));
  data.role_groups.forEach((l, r) => l.forEach((x) => g.push([data.groups[x], `r${r}`])));
  asked.forEach((u) => data.member[u].forEach((x) => g.push([data.users[u], data.groups[x]])));
  await e.addPolicies(p);
  await e.addNamedGroupingPolicies('g', g);
  await e.addNamedGroupingPolicies('g2', g2);
  console.log(`${name}: casbin: loaded in ${((Date.now() - t) / 1000).toFixed(1)} s`);
  await measure('casbin, sets', (u, v, x) => e.enforce(data.users[u], data.vms[v], data.privs[x]));
}

// ----------------------------------------------------------------- Cedar

const uid = (type, id) => ({ type, id });

function policyOf(role) {
  const actions = data.role_privs[role].map((x) => `Action::"${data.privs[x]}"`).join(', ');
  const groups = data.role_groups[role].map((x) => `Group::"${data.groups[x]}"`).join(', ');
  return `permit(principal, action in [${actions}], resource in Set::"r${role}") ` +
    `when { principal in [${groups}] };`;
}

function prepare(cedar, id, roles) {
  const staticPolicies = {};
  roles.forEach((r) => { staticPolicies[`r${r}`] = policyOf(r); });
  const answer = cedar.preparsePolicySet(id, { staticPolicies });
  if (answer.type !== 'success') throw new Error(JSON.stringify(answer));
}

async function cedar() {
  const lib = load('@cedar-policy/cedar-wasm/nodejs');
  if (!lib) return;
  const rolesOf = data.vms.map(() => []);
  data.role_vms.forEach((l, r) => l.forEach((v) => rolesOf[v].push(r)));
  const t = Date.now();
  prepare(lib, 'all', data.role_vms.map((_, r) => r));
  for (const v of new Set(data.queries.map((q) => q[1]))) prepare(lib, data.vms[v], rolesOf[v]);
  console.log(`${name}: cedar: parsed in ${((Date.now() - t) / 1000).toFixed(1)} s`);
  const ask = (set) => (u, v, x) => {
    const answer = lib.statefulIsAuthorized({
      principal: uid('User', data.users[u]),
      action: uid('Action', data.privs[x]),
      resource: uid('Vm', data.vms[v]),
      context: {},
      preparsedPolicySetId: set === null ? data.vms[v] : set,
      entities: [
        { uid: uid('User', data.users[u]), attrs: {},
          parents: data.member[u].map((g) => uid('Group', data.groups[g])) },
        { uid: uid('Vm', data.vms[v]), attrs: {},
          parents: rolesOf[v].map((r) => uid('Set', `r${r}`)) },
      ],
    });
    if (answer.type !== 'success') throw new Error(JSON.stringify(answer));
    return answer.response.decision === 'allow';
  };
  await measure("cedar, the host's policies", ask(null));
  await measure('cedar, all policies', ask('all'));
}

casbin().then(cedar).catch((e) => { console.error(e); process.exit(1); });
