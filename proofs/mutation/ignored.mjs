const LEVELS = new Set(['debug', 'info', 'warn', 'error']);

/**
 * The only thing that is not mutated: the text of a log line, `log.warn({…}, 'text')`. It is meant for people and may change. The fields are data,
 * and are mutated.
 */
function isLogText(path) {
  const { node, parent, key } = path;
  if (parent?.type !== 'CallExpression' || !['StringLiteral', 'TemplateLiteral'].includes(node.type) || key !== 1) {
    return false;
  }
  const { callee } = parent;
  return callee.type === 'MemberExpression' && LEVELS.has(callee.property.name) && named(callee.object) === 'log';
}

/** Returns the name for `log` or `deps.log`. */
function named(node) {
  return node.type === 'Identifier' ? node.name : node.type === 'MemberExpression' ? node.property.name : undefined;
}

const logText = {
  shouldIgnore: (path) => (isLogText(path) ? 'the words of a log line are for people' : undefined),
};

export const strykerPlugins = [{ kind: 'Ignore', name: 'log-text', value: logText }];
