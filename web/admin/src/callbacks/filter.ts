import { GATEWAYS } from '../api/names.ts';
import { anyText, filterReader, oneOf } from '../parts/filter.ts';
import { CALLBACK_WORDS } from './words.ts';

type Outcome = keyof typeof CALLBACK_WORDS.en.outcomes;
export const OUTCOMES = Object.keys(CALLBACK_WORDS.en.outcomes) as Outcome[];

export const filterOf = filterReader({ outcome: oneOf(OUTCOMES), gateway: oneOf(GATEWAYS), reference: anyText });
