import { expressionBuilder } from 'kysely';
import type { Tables } from '../../../database/tables.ts';

const of = expressionBuilder<Tables & { d: Tables['decisions'] }, 'd'>();

/** Whether a decision, as `decisions d`, needs no second operator or has one. */
export const COMPLETE = of.or([of.not('d.needsSecond'), of('d.secondOperatorId', 'is not', null)]);
