import { Button, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { api, dataOf, keepCsrfToken } from '../api/client.ts';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { Form, textOf } from '../parts/form.tsx';
import { secondFactorOf } from '../session/code.ts';
import { ME, useMe } from '../session/session.tsx';
import { useLanguage } from '../words/language.tsx';
import { useChange } from '../parts/use-change.ts';

export function PasswordPart() {
  const { words } = useLanguage();
  const { operator } = useMe();
  const queries = useQueryClient();
  const save = useChange({
    mutationFn: (form: FormData) => {
      const body = { password: textOf(form, 'current'), newPassword: textOf(form, 'next') };
      return dataOf(api.POST('/auth/password', { body: { ...body, ...secondFactorOf(textOf(form, 'code')) } }));
    },
    onSuccess: async ({ csrfToken }) => {
      keepCsrfToken(csrfToken);
      await queries.invalidateQueries({ queryKey: ME.queryKey });
    },
  });
  return (
    <Stack component="section" aria-labelledby="password">
      <Title order={2} size="h4" id="password">
        {words.account.password}
      </Title>
      {save.isSuccess ? (
        <Text role="status">{words.account.passwordSaved}</Text>
      ) : (
        <Form submit={(form) => save.mutate(form)}>
          <PasswordInput name="current" label={words.newPassword.current} autoComplete="current-password" required />
          <PasswordInput name="next" label={words.newPassword.next} autoComplete="new-password" required />
          {operator.secondFactor && (
            <TextInput name="code" label={words.login.code} autoComplete="one-time-code" required />
          )}
          {save.error !== null && <ErrorNotice error={save.error} />}
          <Button type="submit" variant="default" loading={save.isPending}>
            {words.newPassword.submit}
          </Button>
        </Form>
      )}
    </Stack>
  );
}
