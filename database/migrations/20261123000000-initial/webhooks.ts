import { CREATED, CONTRACT, ID, MODE, OWN, SEEN, table, UPDATED } from './table.ts';

/** Tables of webhook endpoints, their signing secrets, and events with their deliveries. */
export const WEBHOOKS = [
  ...table({
    name: 'webhook_endpoints',
    about: 'Where an application receives its events in one mode, and the health of that receiver.',
    columns: `
  application_id bigint not null references applications,
  ${MODE},
  url text check (length(url) <= 2048),
  -- TEST sends to the URL of LIVE until it has one of its own.
  follows_live boolean not null default false,
  disabled_at timestamptz,
  disabled_reason text,
  failing_since timestamptz,
  consecutive_failures integer not null default 0,
  circuit_open_until timestamptz,
  -- The secret that the receiver accepted last while several sign. OwnPay's and ShadhinPay's headers have room for one signature, so the secret
  -- that the receiver is known to hold is tried first.
  accepted_secret_id bigint,
  ${CREATED},
  ${UPDATED},
  primary key (application_id, mode),
  constraint webhook_endpoints_follows_live_check check (mode = 'TEST' or not follows_live)`,
    access: {
      app: { rows: OWN, may: 'select, update' },
      operator: { rows: SEEN, may: 'select, insert, update' },
      system: 'select, insert, update',
    },
  }),

  ...table({
    name: 'webhook_signing_secrets',
    about: 'A secret that signs the events of an endpoint, current or still valid after a rotation.',
    columns: `
  ${ID},
  application_id bigint not null,
  mode text not null,
  -- Null once it has expired.
  sealed text,
  -- SHA-256 of the secret. A secret that served one mode never serves the other, and none comes back.
  fingerprint bytea not null check (octet_length(fingerprint) = 32),
  -- Null: the current one. A former one signs until then.
  expires_at timestamptz,
  ${CREATED},
  unique (application_id, fingerprint),
  foreign key (application_id, mode) references webhook_endpoints (application_id, mode),
  constraint webhook_signing_secrets_sealed_check check (sealed is not null or expires_at is not null)`,
    indexes: [
      `create unique index webhook_signing_secrets_current_key on webhook_signing_secrets (application_id, mode) where expires_at is null`,
      `create index webhook_signing_secrets_expires_at_idx on webhook_signing_secrets (application_id, mode, expires_at)`,
    ],
    access: {
      app: { rows: OWN, may: 'select' },
      operator: { rows: SEEN, may: 'select, insert, update' },
      system: 'select, insert, update',
    },
  }),
  `alter table webhook_endpoints add constraint webhook_endpoints_accepted_secret_id_fkey
  foreign key (accepted_secret_id) references webhook_signing_secrets`,

  ...table({
    name: 'webhook_events',
    about: 'An event of a payment or invoice, as it is signed and sent, and the state of its delivery.',
    isUpdated: true,
    columns: `
  ${ID},
  event_id text not null unique check (position('.' in event_id) = 0),
  -- Of its payment or invoice, whose key names the application.
  application_id bigint not null,
  ${MODE},
  payment_id bigint,
  invoice_id bigint,
  -- The contract whose event it is.
  ${CONTRACT},
  type text not null,
  schema_version integer not null,
  sequence integer not null check (sequence > 0),
  -- The exact bytes that are signed and sent.
  payload text not null,
  ${CREATED},
  -- What follows changes.
  delivery_status text not null default 'PENDING' check (delivery_status in ('PENDING', 'RETRYING', 'DELIVERED', 'PARKED')),
  attempts integer not null default 0,
  last_response_status integer,
  last_error text,
  next_attempt_at timestamptz,
  last_attempt_at timestamptz,
  -- When the first 2xx came.
  delivered_at timestamptz,
  -- Set while the sweeper has to look at it: a parked event that is wanted again, too.
  next_sweep_at timestamptz,
  ${UPDATED},
  foreign key (payment_id, application_id, mode) references payments (id, application_id, mode),
  foreign key (invoice_id, application_id, mode) references invoices (id, application_id, mode),
  constraint webhook_events_subject_check check (num_nonnulls(payment_id, invoice_id) = 1)`,
    indexes: [
      // An event has one of the two, and is in no entry of the other index.
      `create unique index webhook_events_payment_id_sequence_key on webhook_events (payment_id, sequence) where payment_id is not null`,
      `create unique index webhook_events_invoice_id_sequence_key on webhook_events (invoice_id, sequence) where invoice_id is not null`,
      `create index webhook_events_application_id_mode_idx on webhook_events (application_id, mode, id desc)`,
      // Operators look for what is not delivered.
      `create index webhook_events_delivery_status_idx on webhook_events (delivery_status, id desc) include (application_id, mode)
  where delivery_status in ('RETRYING', 'PARKED')`,
      `create index webhook_events_next_sweep_at_idx on webhook_events (next_sweep_at) where next_sweep_at is not null`,
    ],
    access: {
      app: { rows: OWN, may: 'select, insert, update' },
      operator: { rows: SEEN, may: 'select, update' },
      system: 'select, insert, update',
    },
  }),

  ...table({
    name: 'webhook_attempts',
    about: 'One try to deliver an event.',
    columns: `
  webhook_event_id bigint not null references webhook_events,
  -- Of its event.
  application_id bigint not null,
  ${MODE},
  number integer not null check (number > 0),
  response_status integer,
  error text,
  response_excerpt text check (length(response_excerpt) <= 1024),
  duration_ms integer not null,
  ${CREATED},
  primary key (webhook_event_id, number)`,
    indexes: [`create index webhook_attempts_created_at_idx on webhook_attempts (created_at)`],
    access: {
      app: { rows: OWN, may: 'select, insert' },
      operator: { rows: SEEN, may: 'select' },
      system: 'select, insert, update, delete',
    },
  }),
];
