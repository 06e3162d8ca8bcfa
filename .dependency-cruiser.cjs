/**
 * Arrows go down only. Each room names what it may import of ours; everything else is refused. `rooms` is the whole map:
 * a new top-level folder without a line here fails.
 */
const rooms = {
  domain: ['domain'],
  'workflows/messages': ['workflows/messages', 'domain'],
  workflows: ['workflows', 'domain'],
  runtime: ['runtime', 'domain'],
  database: ['database', 'domain', 'runtime'],
  gateways: ['gateways', 'domain', 'runtime'],
  // Emails are rendered in the same room as the pages.
  core: ['core', 'database', 'gateways', 'workflows/messages', 'web/mail', 'domain', 'runtime'],
  temporal: ['temporal', 'core', 'workflows/messages', 'domain', 'runtime'],
  activities: ['activities', 'core', 'database', 'workflows/messages', 'gateways', 'domain', 'runtime'],
  worker: [
    'worker',
    'workflows/messages',
    'activities',
    'core',
    'database',
    'gateways',
    'temporal',
    'domain',
    'runtime',
  ],
  web: ['web', 'domain'],
  api: ['api', 'core', 'workflows/messages', 'database', 'gateways', 'temporal', 'web', 'domain', 'runtime'],
  simulators: ['simulators'],
};

const refused = Object.entries(rooms).map(([room, allowed]) => ({
  name: `from-${room.replace('/', '-')}`,
  comment: `${room} may import: ${allowed.join(', ')}`,
  severity: 'error',
  from: { path: `^${room}/`, ...(room === 'workflows' ? { pathNot: '^workflows/messages/' } : {}) },
  to: {
    path: '^[a-z]+/',
    pathNot: [`^(${allowed.join('|')})/`, '^node_modules/', '^(node:)?[a-z_]+(/|$)(?!.*\\.ts$)'],
  },
}));

module.exports = {
  forbidden: [
    ...refused,
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'workflows-are-deterministic',
      comment: 'The sandbox has no Node: only the workflow SDK and our pure code may be imported there.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'core-does-not-know-temporal',
      comment: 'Use cases start workflows through `core/dispatch.ts`.',
      severity: 'error',
      from: { path: '^core/' },
      to: { path: '(^|/)@temporalio/' },
    },
    {
      name: 'core-takes-types-of-messages',
      severity: 'error',
      from: { path: '^core/' },
      to: { path: '^workflows/messages/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-main-and-health-know-temporal',
      comment: 'Everything else starts workflows through `core/dispatch.ts`.',
      severity: 'error',
      from: { path: '^api/', pathNot: '^api/(main|health|listeners)\\.ts$' },
      to: { path: ['^temporal/', '(^|/)@temporalio/'] },
    },
    {
      name: 'domain-is-pure',
      comment:
        'The domain runs anywhere: no Node built-ins. zod only in domain/payouts, which workflows do not import.',
      severity: 'error',
      from: { path: '^domain/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'gateways-do-not-know-each-other',
      severity: 'error',
      from: { path: '^gateways/([a-z]+)/' },
      to: { path: '^gateways/([a-z]+)/', pathNot: '^gateways/$1/' },
    },
    {
      name: 'what-gateways-share-knows-none-of-them',
      comment: 'Otherwise a gateway would reach another one through it. Only the registry lists the adapters.',
      severity: 'error',
      from: { path: '^gateways/[a-z-]+\\.ts$', pathNot: '^gateways/registry\\.ts$' },
      to: { path: '^gateways/([a-z]+)/' },
    },
    {
      name: 'contracts-do-not-know-each-other',
      severity: 'error',
      from: { path: '^api/(native|ownpay|shadhinpay)/' },
      to: { path: '^api/(native|ownpay|shadhinpay|admin)/', pathNot: '^api/$1/' },
    },
    {
      name: 'operators-speak-native',
      comment:
        "The operators' API and the native one are one published contract: it shows the same payments and refunds. No other contract's.",
      severity: 'error',
      from: { path: '^api/admin/' },
      to: { path: '^api/(ownpay|shadhinpay)/' },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { pathNot: '^(test|bench|scripts|proofs)/' },
      to: { path: '^(test|bench|proofs)/' },
    },
    {
      name: 'every-room-is-on-the-map',
      severity: 'error',
      from: { path: '^[a-z]+/', pathNot: `^(${Object.keys(rooms).join('|')}|scripts|proofs|test|bench)/` },
      to: {},
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // A program of its own, with packages of its own that are installed only where it is measured.
    exclude: { path: '^bench/rivals/dbos/' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'],
      conditionNames: ['import', 'require', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
};
