import '../scripts/shared/lifeline.ts';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import Koa from 'koa';
import pg from 'pg';
import { createBareActivities } from './bare/activities.ts';
import { BARE_QUEUE } from './bare/names.ts';
import { BareSettings } from './protocol.ts';

/** The other side of each comparison: a worker without product code, and a Koa server that reads one row by its key. */
const settings = BareSettings.parse(JSON.parse(process.argv[2] ?? '{}'));
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
const connection = await NativeConnection.connect({ address: settings.temporalAddress });
const pool = new pg.Pool({ connectionString: settings.databaseUrl, max: 20 });
await pool.query(
  'create table if not exists bench_inserts (id bigint generated always as identity primary key, reference text)',
);
const done = connect(settings.donePort, '127.0.0.1');

const BARE_WORKFLOWS = fileURLToPath(new URL('./bare/workflows.ts', import.meta.url));
const worker = await Worker.create({
  connection,
  namespace: settings.namespace,
  taskQueue: BARE_QUEUE,
  workflowsPath: BARE_WORKFLOWS,
  // As the product's worker does.
  bundlerOptions: { preloadModules: [BARE_WORKFLOWS] },
  activities: createBareActivities({
    insert: (reference) => pool.query('insert into bench_inserts (reference) values ($1)', [reference]),
    delivered: (reference) => done.write(`${reference}\n`),
  }),
  maxCachedWorkflows: 2_000,
});

const koa = new Koa();
koa.use(async (context) => {
  const { rows } = await pool.query('select * from payments where id = $1', [context.path.slice(1)]);
  context.body = rows[0];
});
const server = createServer(koa.callback()).listen(settings.readPort, '127.0.0.1');

process.once('SIGTERM', () => {
  worker.shutdown();
  server.close();
  server.closeAllConnections();
});
process.send?.('ready');
await worker.run();
await pool.end();
done.destroy();
await connection.close();
process.exit(0);
