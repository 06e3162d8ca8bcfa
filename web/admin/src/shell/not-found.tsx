import { Alert, Anchor } from '@mantine/core';
import { useLanguage } from '../words/language.tsx';

export function NotFound() {
  const { words } = useLanguage();
  return (
    <Alert m="md" role="alert">
      {words.errors.notFound} <Anchor href="/admin">{words.nav.home}</Anchor>
    </Alert>
  );
}
