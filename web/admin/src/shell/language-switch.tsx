import { Button } from '@mantine/core';
import { languages } from '../../../language.ts';
import { LANGUAGE_NAMES, useLanguage } from '../words/language.tsx';

/** Offers the other language under its own name. */
export function LanguageSwitch() {
  const { language, choose } = useLanguage();
  const other = languages.find((one) => one !== language) ?? language;
  return (
    <Button variant="subtle" size="compact-md" lang={other} onClick={() => choose(other)}>
      {LANGUAGE_NAMES[other]}
    </Button>
  );
}
