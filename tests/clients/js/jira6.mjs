// jira.js 6: every reply is checked against its schemas, and one that differs is an error.
import { createCloudClient, createServiceDeskClient } from 'jira.js';
import { given, order, refused, step } from './steps.mjs';

const base = { host: given.jira, retry: { maxAttempts: 1 }, onSchemaMismatch: 'throw' };
const auth = { type: 'basic', email: given.email, apiToken: given.token };
const jira = createCloudClient({ ...base, auth });
const desk = createServiceDeskClient({ ...base, auth });
const project = given.project;

async function search(fields, jql, maxResults) {
  const found = [];
  let pages = 0;
  let nextPageToken;
  do {
    const page = await jira.issueSearch.searchAndReconsileIssuesUsingJqlPost({ jql, fields, maxResults, nextPageToken });
    found.push(...page.issues);
    nextPageToken = page.nextPageToken;
    pages += 1;
  } while (nextPageToken);
  return { found, pages };
}

// -- read
await step('server info', async () => (await jira.serverInfo.getServerInfo()).deploymentType);
await step('myself', async () => (await jira.myself.getCurrentUser()).accountId);
await step('myself expanded', async () => (await jira.myself.getCurrentUser({ expand: 'groups,applicationRoles' })).accountId);
await step('my permissions', async () =>
  Object.fromEntries(
    Object.entries((await jira.permissions.getMyPermissions({ projectKey: project, permissions: 'BROWSE_PROJECTS,EDIT_ISSUES,ASSIGN_ISSUES' })).permissions)
      .map(([name, told]) => [name, told.havePermission]),
  ));
await step('all permissions', async () => Object.keys((await jira.permissions.getAllPermissions()).permissions).length);
await step('fields', async () => (await jira.issueFields.getFields()).map((field) => field.id));
await step('statuses', async () => (await jira.workflowStatuses.getStatuses()).map((status) => status.name));
await step('priorities', async () => (await jira.issuePriorities.searchPriorities()).values.length);
await step('groups of a user', async () => (await jira.users.getUserGroups({ accountId: given.person })).length);
await step('issue types', async () => (await jira.issueTypes.getIssueAllTypes()).map((type) => type.name));
await step('labels', async () => (await jira.labels.getAllLabels()).isLast);
await step('projects', async () => (await jira.projects.searchProjects({ maxResults: 50 })).values.map((one) => one.key));
await step('project', async () => (await jira.projects.getProject({ projectIdOrKey: project })).key);
await step('project statuses', async () => (await jira.projects.getAllStatuses({ projectIdOrKey: project })).length);
await step('issue', async () => (await jira.issues.getIssue({ issueIdOrKey: given.issue })).id);
await step('issue expanded', async () => {
  const issue = await jira.issues.getIssue({ issueIdOrKey: given.issue, expand: 'changelog,names,schema,transitions,renderedFields,editmeta,operations' });
  return { id: issue.id, histories: issue.changelog.histories.length };
});
await step('edit meta', async () => Object.keys((await jira.issues.getEditIssueMeta({ issueIdOrKey: given.issue })).fields));
await step('create meta', async () => (await jira.issues.getCreateIssueMetaIssueTypes({ projectIdOrKey: project })).issueTypes.length);
await step('users', async () => {
  const everybody = [];
  for (let startAt = 0; ; startAt += 5) {
    const page = await jira.users.getAllUsers({ startAt, maxResults: 5 });
    if (!page.length) return everybody.map((user) => user.accountId);
    everybody.push(...page);
  }
});
await step('user', async () => (await jira.users.getUser({ accountId: given.person })).displayName);
await step('user search', async () => (await jira.userSearch.findUsers({ query: given.personName })).map((user) => user.accountId));
await step('users by account', async () => (await jira.userSearch.findUsers({ accountId: given.person })).map((user) => user.accountId));
await step('assignable', async () => (await jira.userSearch.findAssignableUsers({ issueKey: given.issue, maxResults: 100 })).map((user) => user.accountId));
await step('assignable in projects', async () =>
  (await jira.userSearch.findBulkAssignableUsers({ projectKeys: project, maxResults: 100 })).map((user) => user.accountId));

// -- page
await step('pages of ids', async () => {
  const { found, pages } = await search(['id'], `project = ${project} ORDER BY id`, 100);
  return { pages, ids: found.map((issue) => issue.id) };
});
await step('pages of everything', async () => {
  const { found, pages } = await search(['*all'], `project = ${project} ORDER BY created DESC, key ASC`, 75);
  return { pages, ids: found.map((issue) => issue.id) };
});
await step('search by GET', async () =>
  (await jira.issueSearch.searchAndReconsileIssuesUsingJql({ jql: `project = ${project}`, fields: ['summary', 'status'], maxResults: 10 })).issues.length);
await step('count', async () => (await jira.issueSearch.countIssues({ jql: `project = ${project}` })).count);
await step('fetch in bulk', async () =>
  (await jira.issues.bulkFetchIssues({ issueIdsOrKeys: [given.issue, given.other], fields: ['summary', 'assignee'] })).issues.map((issue) => issue.key));
await step('changelog of one', async () => {
  const found = [];
  for (let startAt = 0; ; startAt += 2) {
    const page = await jira.issues.getChangeLogs({ issueIdOrKey: given.issue, startAt, maxResults: 2 });
    found.push(...page.values.map((entry) => entry.id));
    if (page.isLast) return { ids: found, total: page.total };
  }
});
await step('changelog by ids', async () => {
  const page = await jira.issues.getChangeLogs({ issueIdOrKey: given.issue });
  const ids = page.values.slice(0, 1).map((entry) => Number(entry.id));
  return (await jira.issues.getChangeLogsByIds({ issueIdOrKey: given.issue, changelogIds: ids })).histories.length;
});
await step('changelogs in bulk', async () => {
  const found = [];
  let nextPageToken;
  do {
    const page = await jira.issues.getBulkChangelogs({ issueIdsOrKeys: given.several, maxResults: 20, nextPageToken });
    for (const log of page.issueChangeLogs) found.push(...log.changeHistories.map((entry) => entry.id));
    nextPageToken = page.nextPageToken;
  } while (nextPageToken);
  return found;
});

// -- filter
await step('unassigned', async () => (await search(['assignee'], `project = ${project} AND assignee IS EMPTY`, 100)).found.map((issue) => issue.id));
await step('in a status', async () => (await search(['status'], `project = ${project} AND status = "${given.status}" AND assignee = "${given.person}"`, 100)).found.map((issue) => issue.id));
await step('jql parsed', async () => {
  const told = await jira.jql.parseJqlQueries({ validation: 'strict', queries: [`project = ${project} AND assignee IS EMPTY`, 'nonsense = 1 AND'] });
  return told.queries.map((query) => (query.errors ?? []).length > 0);
});

// -- write and read back
let made;
await step('create', async () => {
  made = (await jira.issues.createIssue({ fields: { project: { key: project }, issuetype: { name: given.issueType }, summary: 'Made by jira.js 6', description: 'plain words' } })).key;
  return made;
});
await step('edit', async () => {
  await jira.issues.editIssue({ issueIdOrKey: made, fields: { summary: 'Edited by jira.js 6' } });
  return (await jira.issues.getIssue({ issueIdOrKey: made, fields: ['summary', 'description'] })).fields.summary;
});
await step('assign', async () => {
  await jira.issues.assignIssue({ issueIdOrKey: made, accountId: given.person });
  return (await jira.issues.getIssue({ issueIdOrKey: made })).fields.assignee.accountId;
});
await step('unassign', async () => {
  await jira.issues.assignIssue({ issueIdOrKey: made, accountId: null });
  return (await jira.issues.getIssue({ issueIdOrKey: made })).fields.assignee;
});
await step('transition', async () => {
  const { transitions } = await jira.issues.getTransitions({ issueIdOrKey: made });
  const chosen = transitions.at(-1);
  await jira.issues.doTransition({ issueIdOrKey: made, transition: { id: chosen.id } });
  const issue = await jira.issues.getIssue({ issueIdOrKey: made });
  return { wanted: chosen.to.name, status: issue.fields.status.name };
});
await step('comment', async () => {
  const added = await jira.issueComments.addComment({ issueIdOrKey: made, body: 'From jira.js 6' });
  const { comments, total } = await jira.issueComments.getComments({ issueIdOrKey: made });
  return { same: comments.at(-1).id === added.id, total };
});
await step('comment edited', async () => {
  const { comments } = await jira.issueComments.getComments({ issueIdOrKey: made });
  const { id } = comments[0];
  await jira.issueComments.updateComment({ issueIdOrKey: made, id, body: { body: 'Changed by jira.js 6' } });
  const read = await jira.issueComments.getComment({ issueIdOrKey: made, id });
  await jira.issueComments.deleteComment({ issueIdOrKey: made, id });
  const left = (await jira.issueComments.getComments({ issueIdOrKey: made })).total;
  return { text: read.body.content[0].content[0].text, left };
});
await step('own changelog', async () => {
  const page = await jira.issues.getChangeLogs({ issueIdOrKey: made });
  return page.values.flatMap((entry) => entry.items.map((item) => item.field));
});
await step('delete', async () => {
  await jira.issues.deleteIssue({ issueIdOrKey: made });
  return made;
});
await refused('deleted issue', () => jira.issues.getIssue({ issueIdOrKey: made }));

// -- service desk
await step('desk info', async () => typeof (await desk.info.getInfo()).version);
await step('desks', async () => (await desk.servicedesk.getServiceDesks()).values.length);
if (given.request) {
  await step('request', async () => (await desk.request.getCustomerRequestByIdOrKey({ issueIdOrKey: given.request })).issueKey);
  await step('approvals', async () =>
    (await desk.request.getApprovals({ issueIdOrKey: given.request })).values.map((one) => [one.id, one.finalDecision]));
  await step('approval', async () => {
    const [first] = (await desk.request.getApprovals({ issueIdOrKey: given.request })).values;
    return (await desk.request.getApprovalById({ issueIdOrKey: given.request, approvalId: Number(first.id) })).finalDecision;
  });
  await step('approve', async () => {
    const [first] = (await desk.request.getApprovals({ issueIdOrKey: given.request })).values;
    await desk.request.answerApproval({ issueIdOrKey: given.request, approvalId: Number(first.id), decision: 'approve' });
    return (await desk.request.getApprovalById({ issueIdOrKey: given.request, approvalId: Number(first.id) })).finalDecision;
  });
  await refused('approve twice', async () => {
    const [first] = (await desk.request.getApprovals({ issueIdOrKey: given.request })).values;
    await desk.request.answerApproval({ issueIdOrKey: given.request, approvalId: Number(first.id), decision: 'decline' });
  });
}

// -- webhooks: only apps may have them, so they are asked for with an app's token
const app = createCloudClient({ ...base, auth: { type: 'bearer', token: given.appToken } });
let hook;
await step('webhook registered', async () => {
  const told = await app.webhooks.registerDynamicWebhooks({
    url: 'http://127.0.0.1:9/webhook',
    webhooks: [{ events: ['jira:issue_updated'], jqlFilter: `project = ${project}` }],
  });
  hook = told.webhookRegistrationResult[0].createdWebhookId;
  return typeof hook;
});
await step('webhooks', async () => (await app.webhooks.getDynamicWebhooksForApp()).values.map((one) => one.id === hook));
await step('webhook refreshed', async () => typeof (await app.webhooks.refreshWebhooks({ webhookIds: [hook] })).expirationDate);
await step('webhook deleted', async () => {
  await app.webhooks.deleteWebhookById({ webhookIds: [hook] });
  return (await app.webhooks.getDynamicWebhooksForApp()).values.length;
});
await refused('webhook with basic', () => jira.webhooks.getDynamicWebhooksForApp());

// -- error paths
const stranger = createCloudClient({ ...base, auth: { ...auth, apiToken: 'wrong' } });
await refused('bad token', () => stranger.myself.getCurrentUser());
await refused('unknown issue', () => jira.issues.getIssue({ issueIdOrKey: `${project}-999999` }));
await refused('bad query', () => jira.issueSearch.searchAndReconsileIssuesUsingJqlPost({ jql: `project = ${project} AND nothing ~~ 1` }));
await refused('unbounded query', () => jira.issueSearch.searchAndReconsileIssuesUsingJqlPost({ jql: 'ORDER BY created' }));
await refused('refused owner', () => jira.issues.assignIssue({ issueIdOrKey: given.other, accountId: given.left }));
await refused('unknown owner', () => jira.issues.assignIssue({ issueIdOrKey: given.other, accountId: 'nobody' }));
await refused('too many requests', async () => {
  await order({ fault: 'too_many_requests', tool: 'jira', times: 1, settings: { retry_after: 7 } });
  return jira.issues.getIssue({ issueIdOrKey: given.issue });
});
await step('after the limit', async () => (await jira.issues.getIssue({ issueIdOrKey: given.issue })).id);

// -- what it makes of trouble on the way
const read = () => jira.issues.getIssue({ issueIdOrKey: given.issue });
await refused('an HTML page', async () => {
  await order({ fault: 'html_502', tool: 'jira' });
  return read();
});
await refused('half a reply', async () => {
  await order({ fault: 'truncated', tool: 'jira' });
  return read();
});
await refused('a lost reply', async () => {
  await order({ fault: 'reply_lost', tool: 'jira' });
  return jira.issues.assignIssue({ issueIdOrKey: given.other, accountId: given.person });
});
await step('it was done all the same', async () =>
  (await jira.issues.getIssue({ issueIdOrKey: given.other })).fields.assignee.accountId);
await step('an empty page in the middle', async () => {
  await order({ fault: 'empty_page_with_token', tool: 'jira' });
  return (await search(['id'], `project = ${project} ORDER BY id`, 100)).found.map((issue) => issue.id);
});
await step('pages with fewer rows', async () => {
  await order({ fault: 'fewer_rows', tool: 'jira', times: 3 });
  return (await search(['id'], `project = ${project} ORDER BY id`, 100)).found.map((issue) => issue.id);
});
