/**
 * The payment of `npm run bench -- rival`, built as one would build it on DBOS: one process, with workflows in the same Postgres as the rows. It
 * takes the same steps as Lenden's: idempotency key, attempt before the gateway call, callback stored before it is verified, validation, guarded
 * status with ledger and event in one transaction, signed webhook by a separate workflow. It omits tenants, row-level security, retries over days,
 * the sweeper, sealing and pages.
 */
import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import { DBOS } from '@dbos-inc/dbos-sdk';
import Koa from 'koa';
import pg from 'pg';

const settings = JSON.parse(process.argv[2] ?? '{}');
const pool = new pg.Pool({ connectionString: settings.databaseUrl, max: 20 });
await pool.query(`
  create table if not exists payments (id bigint generated always as identity primary key, reference text not null unique, status text not null,
    amount_minor bigint not null, currency text not null, customer_reference text not null, gateway_txn_id text, gateway_url text, fee_minor bigint,
    paid_at timestamptz, created_at timestamptz not null default now());
  create table if not exists keys (key text primary key, fingerprint bytea not null, payment_id bigint not null references payments, answer text);
  create table if not exists attempts (id bigint generated always as identity primary key, payment_id bigint not null unique references payments,
    reference text not null unique, status text not null, session_key text, validation_id text unique, evidence text);
  create table if not exists callbacks (id bigint generated always as identity primary key, attempt_id bigint not null references attempts,
    kind text not null, raw_payload text not null, digest bytea not null unique, consumed_at timestamptz);
  create table if not exists ledger_transactions (id bigint generated always as identity primary key, cause text not null unique,
    created_at timestamptz not null default now());
  create table if not exists ledger_postings (id bigint generated always as identity primary key, transaction_id bigint not null references ledger_transactions,
    debit text not null, credit text not null, amount_minor bigint not null check (amount_minor > 0));
  create index if not exists ledger_postings_transaction on ledger_postings (transaction_id);
  create table if not exists events (id text primary key, payment_id bigint not null unique references payments, payload text not null,
    status text not null, delivered_at timestamptz);`);

async function transaction(work) {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const result = await work((sql, values) => client.query(sql, values).then(({ rows }) => rows));
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

const query = (sql, values) => pool.query(sql, values).then(({ rows }) => rows);
const step = (name, work) =>
  DBOS.runStep(work, { name, retriesAllowed: true, maxAttempts: 4, intervalSeconds: 1, backoffRate: 2 });
const store = { store_id: settings.storeId, store_passwd: settings.storePassword };

async function callGateway(path, init) {
  const answer = await fetch(`${settings.simulators}${path}`, { ...init, signal: AbortSignal.timeout(15_000) });
  return answer.json();
}

async function openSession(paymentId) {
  const [payment] = await query('select * from payments where id = $1', [paymentId]);
  const fresh = randomBytes(10).toString('hex');
  await query(
    `insert into attempts (payment_id, reference, status) values ($1, $2, 'CREATED') on conflict (payment_id) do nothing`,
    [paymentId, fresh],
  );
  const [attempt] = await query('select * from attempts where payment_id = $1', [paymentId]);
  const callback = (kind) => `${settings.url}/callback/${kind}`;
  const customer = {
    cus_name: 'Customer',
    cus_email: 'customer@example.com',
    cus_phone: '01700000000',
    cus_add1: 'Dhaka',
  };
  const place = { cus_city: 'Dhaka', cus_postcode: '1000', cus_country: 'Bangladesh' };
  const product = {
    product_category: 'general',
    product_name: 'Bench',
    product_profile: 'general',
    shipping_method: 'NO',
  };
  const urls = {
    success_url: callback('success'),
    fail_url: callback('fail'),
    cancel_url: callback('cancel'),
    ipn_url: callback('ipn'),
  };
  const order = {
    total_amount: (Number(payment.amount_minor) / 100).toFixed(2),
    currency: payment.currency,
    tran_id: attempt.reference,
  };
  const form = new URLSearchParams({
    ...store,
    ...order,
    ...product,
    ...urls,
    ...customer,
    ...place,
    num_of_item: '1',
    emi_option: '0',
  });
  const session = await callGateway('/gwprocess/v4/api.php', { method: 'POST', body: form });
  if (session.status !== 'SUCCESS') {
    throw new Error('the gateway opened no session');
  }
  await transaction(async (run) => {
    await run(`update attempts set status = 'OPEN', session_key = $2 where id = $1`, [attempt.id, session.sessionkey]);
    await run(`update payments set status = 'PENDING', gateway_url = $2 where id = $1`, [
      paymentId,
      session.GatewayPageURL,
    ]);
  });
  return session.GatewayPageURL;
}

/** Verifies a payment. The callback only says where to look; the gateway's own answer must match the order. */
async function verify(paymentId) {
  const [row] = await query(
    `select p.amount_minor, p.currency, a.id, a.reference, c.raw_payload from payments p join attempts a on a.payment_id = p.id
     join callbacks c on c.attempt_id = a.id where p.id = $1 order by c.id desc limit 1`,
    [paymentId],
  );
  const validationId = new URLSearchParams(row.raw_payload).get('val_id') ?? '';
  const search = new URLSearchParams({ ...store, val_id: validationId, v: '1', format: 'json' });
  const charge = await callGateway(`/validator/api/validationserverAPI.php?${search}`, {});
  const minor = (text) => Math.round(Number(text) * 100);
  const paid = charge.status === 'VALID' || charge.status === 'VALIDATED';
  const agrees =
    charge.tran_id === row.reference &&
    charge.currency === row.currency &&
    minor(charge.amount) === Number(row.amount_minor);
  if (!paid || !agrees || charge.risk_level !== '0') {
    return null;
  }
  await transaction(async (run) => {
    await run(`update attempts set status = 'CONFIRMED', validation_id = $2, evidence = $3 where id = $1`, [
      row.id,
      validationId,
      JSON.stringify(charge),
    ]);
    await run('update callbacks set consumed_at = now() where attempt_id = $1 and consumed_at is null', [row.id]);
  });
  return { gatewayTxnId: charge.bank_tran_id, feeMinor: minor(charge.amount) - minor(charge.store_amount) };
}

/** Writes status, ledger and event in one transaction. Repeating it changes nothing. */
function settle(paymentId, { gatewayTxnId, feeMinor }) {
  return transaction(async (run) => {
    const [payment] = await run(
      `update payments set status = 'SUCCEEDED', paid_at = now(), gateway_txn_id = $2, fee_minor = $3 where id = $1 and status = 'PENDING' returning *`,
      [paymentId, gatewayTxnId, feeMinor],
    );
    if (payment !== undefined) {
      const [{ id }] = await run('insert into ledger_transactions (cause) values ($1) returning id', [
        payment.reference,
      ]);
      await run(
        `insert into ledger_postings (transaction_id, debit, credit, amount_minor)
         values ($1, 'gateway:clearing', 'app:payable', $2), ($1, 'gateway:fees', 'gateway:clearing', $3)`,
        [id, payment.amount_minor, feeMinor],
      );
      const eventId = `evt_${randomUUID()}`;
      const data = {
        id: Number(payment.id),
        reference: payment.reference,
        status: 'SUCCEEDED',
        amountMinor: Number(payment.amount_minor),
      };
      const payload = JSON.stringify({
        id: eventId,
        type: 'payment.succeeded',
        createdAt: new Date().toISOString(),
        sequence: 1,
        data,
      });
      await run(`insert into events (id, payment_id, payload, status) values ($1, $2, $3, 'PENDING')`, [
        eventId,
        paymentId,
        payload,
      ]);
    }
    const [event] = await run('select id from events where payment_id = $1', [paymentId]);
    return event.id;
  });
}

async function deliver(eventId) {
  const [{ payload }] = await query('select payload from events where id = $1', [eventId]);
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const signature = createHmac('sha256', settings.signingSecret)
    .update(`${eventId}.${timestamp}.${payload}`)
    .digest('base64');
  const headers = {
    'content-type': 'application/json',
    'webhook-id': eventId,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
  const answer = await fetch(settings.webhookUrl, {
    method: 'POST',
    headers,
    body: payload,
    signal: AbortSignal.timeout(15_000),
  });
  await answer.arrayBuffer();
  if (!answer.ok) {
    throw new Error(`the receiver answered ${answer.status}`);
  }
  await query(`update events set status = 'DELIVERED', delivered_at = now() where id = $1`, [eventId]);
}

const webhook = DBOS.registerWorkflow((eventId) => step('deliver', () => deliver(eventId)), { name: 'webhook' });

const payment = DBOS.registerWorkflow(
  async (paymentId) => {
    const url = await step('openSession', () => openSession(paymentId));
    await DBOS.setEvent('opened', url);
    for (;;) {
      if ((await DBOS.recv('callback', 1_800)) === null) {
        return 'EXPIRED';
      }
      const charge = await step('verify', () => verify(paymentId));
      if (charge !== null) {
        const eventId = await step('settle', () => settle(paymentId, charge));
        await DBOS.startWorkflow(webhook, { workflowID: `webhook:${eventId}` })(eventId);
        return 'SUCCEEDED';
      }
    }
  },
  { name: 'payment' },
);

async function create(context, body) {
  const key = context.get('idempotency-key');
  const { amountMinor, currency, customerReference } = JSON.parse(body);
  const fingerprint = createHash('sha256').update(body).digest();
  const reference = `pay_${randomBytes(16).toString('hex')}`;
  const id = await transaction(async (run) => {
    const [row] = await run(
      `insert into payments (reference, status, amount_minor, currency, customer_reference) values ($1, 'CREATED', $2, $3, $4) returning id`,
      [reference, amountMinor, currency, customerReference],
    );
    await run('insert into keys (key, fingerprint, payment_id) values ($1, $2, $3)', [key, fingerprint, row.id]);
    return row.id;
  });
  await DBOS.startWorkflow(payment, { workflowID: `payment:${reference}` })(id);
  const redirectUrl = await DBOS.getEvent(`payment:${reference}`, 'opened', 8);
  const answer = JSON.stringify({
    data: { id: Number(id), reference, status: 'PENDING', amountMinor, currency, redirectUrl },
  });
  await query('update keys set answer = $2 where key = $1', [key, answer]);
  context.status = 201;
  context.type = 'json';
  context.body = answer;
}

async function receive(context, body) {
  const [attempt] = await query(
    'select a.id, p.reference, p.status from attempts a join payments p on p.id = a.payment_id where a.reference = $1',
    [new URLSearchParams(body).get('tran_id')],
  );
  const [kept] = await query(
    'insert into callbacks (attempt_id, kind, raw_payload, digest) values ($1, $2, $3, $4) on conflict do nothing returning id',
    [attempt.id, context.path.split('/').at(-1), body, createHash('sha256').update(body).digest()],
  );
  if (kept !== undefined && attempt.status !== 'SUCCEEDED') {
    await DBOS.send(`payment:${attempt.reference}`, String(kept.id), 'callback', String(kept.id));
  }
  context.body = 'OK';
}

const koa = new Koa();
koa.use(async (context) => {
  const chunks = [];
  for await (const chunk of context.req) {
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks).toString('utf8');
  if (context.path.startsWith('/callback/')) {
    await receive(context, body);
  } else if (context.get('x-api-key') !== settings.apiKey || context.get('x-api-secret') !== settings.apiSecret) {
    context.status = 401;
  } else {
    await create(context, body);
  }
});

DBOS.setConfig({
  name: 'rival',
  systemDatabaseUrl: settings.systemDatabaseUrl,
  logLevel: 'error',
});
await DBOS.launch();
const server = koa.listen(settings.port, '127.0.0.1', () => process.send?.('ready'));
process.once('disconnect', () => process.exit(0));
process.once('SIGTERM', async () => {
  server.close();
  server.closeAllConnections();
  await DBOS.shutdown();
  await pool.end();
  process.exit(0);
});
