import { Migration } from '@mikro-orm/migrations';

/**
 * Where money moves only by our own word (bKash's execution), the attempt's row says what is known of that word, so that every process knows
 * it and the end of the attempt is fenced against it.
 */
export class ExecutionsMigration extends Migration {
  override async up(): Promise<void> {
    this.addSql(CHANGE);
  }
}

const CHANGE = `alter table payment_attempts
  add column executions_sent integer not null default 0 check (executions_sent >= 0),
  -- While the gateway may be at work on an execution; left behind by a process that died, it is a doubt.
  add column execution_at_work_until timestamptz,
  -- What an execution may have moved without being shown by the gateway's query.
  add column execution_doubt text check (execution_doubt in ('LOST', 'EXECUTED')),
  -- The gateway took an execution for a duplicate: no machine sends another one.
  add column execution_barred boolean not null default false,
  add check (executions_sent > 0 or (execution_at_work_until is null and execution_doubt is null and not execution_barred))`;
