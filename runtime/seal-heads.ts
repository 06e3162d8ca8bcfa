/** The message of the log line with a seal's number and hash. `npm run verify -- --heads` searches for it. */
export const SEAL_HEAD_MESSAGE = 'ledger sealed';
