import { anyText, day, filterReader, wholeNumber } from '../parts/filter.ts';

export const ledgerFilterOf = filterReader({ applicationId: wholeNumber, account: anyText, at: day });
export const accountFilterOf = filterReader({ from: day, to: day });
