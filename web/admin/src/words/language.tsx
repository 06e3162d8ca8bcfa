import { createContext, use, useCallback, useEffect, useMemo, useState, type ReactNode } from 'react';
import { negotiateLanguage, type Language } from '../../../language.ts';
import { bangla } from './bangla.ts';
import { english, type Words } from './english.ts';

const WORDS = { en: english, bn: bangla } as const satisfies Record<Language, Words>;
/** Each language under its own name. */
export const LANGUAGE_NAMES = { en: english.languageName, bn: bangla.languageName } as const;

const REMEMBERED = 'lenden-language';

interface Spoken {
  readonly language: Language;
  readonly words: Words;
  readonly choose: (language: Language) => void;
}

const Context = createContext<Spoken | null>(null);

/** Offers the words of the language that this browser chose last, or that it prefers. */
export function LanguageProvider({ children }: { readonly children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(() =>
    negotiateLanguage(navigator.languages.join(','), localStorage.getItem(REMEMBERED) ?? undefined),
  );
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const choose = useCallback((chosen: Language) => {
    localStorage.setItem(REMEMBERED, chosen);
    setLanguage(chosen);
  }, []);
  const spoken = useMemo(() => ({ language, words: WORDS[language], choose }), [language, choose]);
  return <Context value={spoken}>{children}</Context>;
}

/** @throws Error outside `LanguageProvider` */
export function useLanguage(): Spoken {
  const spoken = use(Context);
  if (spoken === null) {
    throw new Error('useLanguage needs a LanguageProvider');
  }
  return spoken;
}
