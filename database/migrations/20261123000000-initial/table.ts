export const ID = `id bigint generated always as identity primary key`;
export const MODE = `mode text not null check (mode in ('TEST', 'LIVE'))`;
export const CONTRACT = `contract text not null default 'native' check (contract in ('native', 'ownpay', 'shadhinpay'))`;
export const CURRENCY = `currency text not null check (currency ~ '^[A-Z]{3}$')`;
export const CREATED = `created_at timestamptz not null default now()`;
export const UPDATED = `updated_at timestamptz not null default now()`;

/** The largest integer that a JSON number holds exactly. */
export const AMOUNT_MAX = '9007199254740991';

/** Rows of the application and mode of the transaction. PostgreSQL evaluates a function in a sub-select once per statement. */
export const OWN = `application_id = (select lenden_scope_app()) and mode = (select lenden_scope_mode())`;
/** Rows of the application in both modes. */
export const OWN_IN_BOTH_MODES = `application_id = (select lenden_scope_app())`;
/** Rows of the applications that an operator may see. */
export const SEEN = `(select lenden_sees_every_app()) or application_id = any((select lenden_seen_apps())::bigint[])`;
export const EVERY_ROW = 'true';

interface Rows {
  /** The condition for the rows that the role can read and write. */
  readonly rows: string;
  readonly may: string;
}

interface Access {
  readonly app?: Rows;
  readonly operator?: Rows;
  /** `lenden_system` sees every row. */
  readonly system?: string;
  /** What the functions of `lenden_lookup` may read, in every row. */
  readonly lookup?: string;
}

interface Table {
  readonly name: string;
  /** The comment on the table: one sentence. */
  readonly about: string;
  readonly columns: string;
  /**
   * Rows are updated soon after they are written. Their pages keep room, and the columns that change come last: an update then stays on its page, and
   * the write-ahead log takes only what lies between the first and the last changed byte.
   */
  readonly isUpdated?: boolean;
  /** Every index has a name that ends in `_key` if it is unique, and in `_idx` if it is not. */
  readonly indexes?: readonly string[];
  /** Runs before row-level security is enabled, because the policies also apply to the owner. */
  readonly seed?: string;
  /** Whether updates and deletes are refused. */
  readonly appendOnly?: boolean;
  readonly access: Access;
}

/**
 * Returns the statements that create a table, its indexes and its access rules. Every row is accessible only through a policy.
 *
 * Names: constraints end in `_pkey`, `_key`, `_fkey` or `_check`, as PostgreSQL names them by default. A constraint over several columns gets its
 * name here, since PostgreSQL would number it. Policies have the name of their role.
 */
export function table({
  name,
  about,
  columns,
  isUpdated = false,
  indexes = [],
  seed,
  appendOnly = false,
  access,
}: Table): string[] {
  return [
    `create table ${name} (${columns}\n)${isUpdated ? ' with (fillfactor = 80)' : ''}`,
    `comment on table ${name} is '${about.replaceAll("'", "''")}'`,
    ...indexes,
    ...(seed === undefined ? [] : [seed]),
    ...protect(name, access),
    ...(appendOnly ? [refuseChanges(name)] : []),
  ];
}

function protect(name: string, { app, operator, system, lookup }: Access): string[] {
  const statements = [`alter table ${name} enable row level security`, `alter table ${name} force row level security`];
  if (app !== undefined) {
    statements.push(
      `create policy app on ${name} to lenden_app using (${app.rows}) with check (${app.rows})`,
      `grant ${app.may} on ${name} to lenden_app`,
    );
  }
  if (operator !== undefined) {
    statements.push(
      `create policy operator on ${name} to lenden_operator using (${operator.rows}) with check (${operator.rows})`,
      `grant ${operator.may} on ${name} to lenden_operator`,
    );
  }
  if (system !== undefined) {
    statements.push(
      `create policy system on ${name} to lenden_system using (true) with check (true)`,
      `grant ${system} on ${name} to lenden_system`,
    );
  }
  if (lookup !== undefined) {
    statements.push(
      `create policy lookup on ${name} for select to lenden_lookup using (true)`,
      `grant ${lookup} on ${name} to lenden_lookup`,
    );
  }
  return statements;
}

function refuseChanges(name: string): string {
  return `create trigger append_only before update or delete or truncate on ${name}
  for each statement execute function lenden_refuse_change()`;
}
