import { ENGLISH, type ExplanationWords } from '../../domain/explanation-words.ts';
import type { Language } from '../language.ts';
import { BANGLA } from './bangla.ts';

/** The sentences of an explanation, by language. */
export const EXPLANATION_WORDS: Readonly<Record<Language, ExplanationWords>> = { en: ENGLISH, bn: BANGLA };
