import type pg from 'pg';

/** What can fail between the product and the database. The seed decides. */
export interface DatabaseFaults {
  latencyMs(): number;
  /** Returns whether the connection is lost before the statement or commit is executed. */
  lostBefore(): boolean;
  /** Returns whether the statement is refused, as by a full disk. */
  refused(): boolean;
  /** Returns whether the commit is executed but its answer lost. */
  commitAnswerLost(): boolean;
}

export interface Query {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly types?: pg.CustomTypesConfig;
}

/** A server with one session, which its clients take in turn. */
export interface OneSession<Client> {
  readonly faults: DatabaseFaults;
  /** Waits in fake time. */
  pause(ms: number): Promise<void>;
  /** Executes a statement at once. */
  send(query: Query): Promise<pg.QueryResult>;
  /** Waits for the session. */
  take(client: Client): Promise<void>;
  holds(client: Client): boolean;
  /** Notes that the client lives. */
  heard(client: Client): void;
  give(client: Client): void;
}
