import { Alert, Button, Stack, Text } from '@mantine/core';
import { ApiError } from '../api/client.ts';
import type { Words } from '../words/english.ts';
import { useLanguage } from '../words/language.tsx';
import { InvalidField } from './invalid-field.ts';

/** Says what went wrong and what to do. */
export function ErrorNotice({
  error,
  retry,
  isChange = false,
}: {
  readonly error: Error;
  readonly retry?: () => void;
  /** Something was to be changed, so without an answer nobody knows whether it was. */
  readonly isChange?: boolean;
}) {
  const { words } = useLanguage();
  return (
    <Alert color="red" title={words.errors.title} role="alert">
      <Stack align="flex-start" gap="xs">
        <Text>{isChange && isUnanswered(error) ? words.errors.unknownOutcome : adviceOn(error, words)}</Text>
        {retry !== undefined && (
          <Button variant="default" size="xs" onClick={retry}>
            {words.retry}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

function isUnanswered(error: Error): boolean {
  return !(error instanceof ApiError || error instanceof InvalidField);
}

function adviceOn(error: Error, { errors, login }: Words): string {
  if (error instanceof InvalidField) {
    return error.message;
  }
  if (!(error instanceof ApiError)) {
    return errors.offline;
  }
  switch (error.code) {
    case 'FORBIDDEN':
      return `${errors.forbidden} ${errors.unexpected(error.message)}`;
    case 'RESOURCE_NOT_FOUND':
      return errors.notFound;
    case 'RATE_LIMITED':
      return errors.rateLimited;
    case 'SERVICE_UNAVAILABLE':
      return errors.unavailable;
    case 'SECOND_FACTOR_REQUIRED':
      return errors.secondFactor;
    case 'INVALID_CREDENTIALS':
      return login.wrong;
    case 'UNAUTHORIZED':
    case 'TOKEN_EXPIRED':
    case 'SESSION_EXPIRED':
      return login.expired;
    case 'VALIDATION_ERROR':
      return [
        errors.unexpected(error.message),
        ...Object.entries(error.fields).map(([name, wrong]) => `${name}: ${wrong}`),
      ].join(' · ');
    default:
      return errors.unexpected(error.message);
  }
}
