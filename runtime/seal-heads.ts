/** The message of the log line that carries a seal's number and hash; `npm run verify -- --heads` looks for it. */
export const SEAL_HEAD_MESSAGE = 'ledger sealed';
