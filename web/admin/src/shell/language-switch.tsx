import { Button } from '@mantine/core';
import { languages } from '../../../language.ts';
import { bangla } from '../words/bangla.ts';
import { english } from '../words/english.ts';
import { useLanguage } from '../words/language.tsx';

const NAMES = { en: english.languageName, bn: bangla.languageName };

/** Offers the other language under its own name. */
export function LanguageSwitch() {
  const { language, choose } = useLanguage();
  const other = languages.find((one) => one !== language) ?? language;
  return (
    <Button variant="subtle" size="compact-md" lang={other} onClick={() => choose(other)}>
      {NAMES[other]}
    </Button>
  );
}
