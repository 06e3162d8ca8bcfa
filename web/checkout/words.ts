import type { Language } from '../language.ts';
import type { Words } from './word-list.ts';
import { banglaWords } from './words-bangla.ts';
import { englishWords } from './words-english.ts';

export function wordsIn(language: Language): Words {
  return language === 'bn' ? banglaWords : englishWords;
}
