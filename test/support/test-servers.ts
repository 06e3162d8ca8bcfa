/** The servers that `npm test` started for this run. Without them, a test fails and says how to start them. */
export interface TestServers {
  /** The owner's URL of the migrated template database. */
  readonly templateUrl: string;
  /** The log file of that server, for all tests of the run. */
  readonly postgresLog: string;
  readonly temporalAddress: string;
}

export function testServers(): TestServers {
  return {
    templateUrl: setting('LENDEN_TEST_DATABASE_URL'),
    postgresLog: setting('LENDEN_TEST_POSTGRES_LOG'),
    temporalAddress: setting('LENDEN_TEST_TEMPORAL_ADDRESS'),
  };
}

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new Error(`${name} is not set: this test needs a Postgres and a Temporal. Run it as: npm test -- PATH`);
  }
  return value;
}
