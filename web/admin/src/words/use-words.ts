import type { Language } from '../../../language.ts';
import { useLanguage } from './language.tsx';

/** Returns a page's own words. They are loaded with the page. */
export function useWords<Words>(words: Readonly<Record<Language, Words>>): Words {
  return words[useLanguage().language];
}
