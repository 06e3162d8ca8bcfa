import { Textarea } from '@mantine/core';
import { useLanguage } from '../words/language.tsx';

/** The reason of a decision, which the audit log keeps. It is the form's field `reason`. */
export function ReasonField({ label }: { readonly label?: string }) {
  const { words } = useLanguage();
  return <Textarea name="reason" label={label ?? words.reason} required maxLength={500} data-autofocus />;
}
