import { Stack, Title } from '@mantine/core';
import { useLanguage } from '../words/language.tsx';
import { PasswordPart } from './password-part.tsx';
import { SecondFactorPart } from './second-factor-part.tsx';
import { SessionsPart } from './sessions-part.tsx';

export function AccountPage() {
  const { words } = useLanguage();
  return (
    <Stack maw={640} gap="xl">
      <Title order={1} size="h3">
        {words.account.title}
      </Title>
      <SecondFactorPart />
      <PasswordPart />
      <SessionsPart />
    </Stack>
  );
}
