"""Words of the three query languages, right ones and treacherous ones: what the fuzz tests make queries of."""

from __future__ import annotations

import re


def _words(text: str) -> list[str]:
    """Two spaces part the words, so that a word may hold one."""
    return re.split(r"\s{2,}", text.strip())


SOQL = _words(
    r"""
    SELECT  FROM  WHERE  AND  OR  NOT  IN  LIKE  ORDER BY  LIMIT  OFFSET  COUNT()  Id  Case  Owner.Name  Owner.Type
    Subject  Status  CreatedDate  Due__c  OwnerId  IsDeleted  =  !=  <  >  <=  >=  (  )  ,  'x'  '\'  '%_\%'  null
    TRUE  TODAY  LAST_N_DAYS:3  YESTERDAY  LAST_N_DAYS:99999999999  NEXT_N_YEARS:99999999  THIS_FISCAL_QUARTER
    2026-01-01T00:00:00Z  2026-01-01  9999-12-31T23:59:59-14:00  2026-13-45T99:99:99Z  1.5  -3  99999999999999999999
    ASC  DESC  NULLS FIRST  NULLS LAST  GROUP BY  HAVING  FIELDS(ALL)  FIELDS(STANDARD)  TYPEOF  WHEN  THEN  END
    USING SCOPE  FOR UPDATE  ALL ROWS  (SELECT Id FROM Histories)  a.b.c.d.e  LIMIT 5  OFFSET 1
    WITH SECURITY_ENFORCED
    """
)
JQL = _words(
    r"""
    project  key  id  assignee  status  statusCategory  updated  created  summary  duedate  text  =  !=  ~  !~  <  >
    <=  >=  IN  NOT IN  IS  IS NOT  EMPTY  NULL  AND  OR  NOT  (  )  ,  ACME  ACME-1  "In Progress"  'To Do'
    currentUser()  now()  startOfDay()  startOfDay(-1d)  endOfWeek("+1w")  startOfMonth(-99999999999M)  -5m
    -99999999999999w  "2026-01-01 12:00"  2026/01/01  1732877091000  99999999999999999999  9999-12-31  0001-01-01
    WAS  WAS IN  CHANGED  BEFORE  AFTER  BY  FROM  TO  DURING  ON  ORDER BY  ASC  DESC  cf[10010]  cf[²]  Phase  ²
    10000  acc:ada  priority  labels  reporter  resolution  issuetype  comment  membersOf(x)  !  &&  ||  ~ "a*"
    """
)
FORMULA = _words(
    r"""
    {Name}  {Owner}  {Done}  {Status}  {Touched}  {Updates}  {Nobody}  Name  "x"  'it\'s'  "\u12"  1  0  1.5
    99999999999999999999999999  +  -  *  /  &  =  !=  <  >  <=  >=  (  )  ,  AND(  OR(  NOT(  IF(  SWITCH(  BLANK()
    RECORD_ID()  LAST_MODIFIED_TIME()  LAST_MODIFIED_TIME({Name})  CREATED_TIME()  IS_AFTER(  IS_BEFORE(  IS_SAME(
    DATETIME_PARSE(  DATETIME_DIFF(  DATETIME_FORMAT(  DATEADD(NOW(), 99999999999, 'years')
    DATEADD(NOW(), -99999999, 'days')  FIND(  SEARCH(  LOWER(  UPPER(  LEN(  TRIM(  REGEX_MATCH({Name}, '(')
    REGEX_MATCH({Name}, '(a+)+$')  YEAR(  TODAY()  NOW()  ARRAYJOIN(  CONCATENATE(  ROUND(1e9, 999999999)  MID(
    LEFT(  RIGHT(  REPT('x', 999999999)  VALUE(  ERROR()  'd'  MOD(1,0)  POWER(9,9999)  SUBSTITUTE(  2026-01-01
    MAX(  MIN(  SUM(  WEEKDAY(  '2026-01-01'
    """
)
KEYS = {
    "salesforce": _words(
        """
        records  attributes  type  Id  id  OwnerId  Subject  Status  allOrNone  requests  actionType  contextId
        contextActorId  comments  compositeRequest  batchRequests  method  url  referenceId  body  richInput
        operation  object  contentType  lineEnding  columnDelimiter  externalIdFieldName  state  query  Name
        Due__c  IsDeleted  Phase__c  Description
        """
    ),
    "jira": _words(
        """
        jql  fields  maxResults  nextPageToken  expand  reconcileIssues  issueIdsOrKeys  fieldIds  accountId
        transition  id  update  comment  add  set  body  summary  project  key  issuetype  assignee  duedate
        decision  webhooks  url  events  jqlFilter  webhookIds  changelogIds  queries  properties
        projectPermissions  permissions  name  issues  priority  description  type  content  text  version
        refresh_token  grant_type  startAt
        """
    ),
    "airtable": _words(
        """
        records  fields  id  typecast  performUpsert  fieldsToMergeOn  returnFieldsByFieldId  offset  pageSize
        maxRecords  filterByFormula  sort  field  direction  view  text  Name  Owner  Status  Updates  Done
        fldName  email  notificationUrl  specification  options  filters  dataTypes  recordChangeScope  includes
        enable  name  type  description  cellFormat  timeZone  userLocale  recordMetadata
        """
    ),
}
ASKED = {
    "salesforce": _words(
        """
        q  fields  start  end  ids  allOrNone  maxRecords  locator  jobType  queryLocator
        """
    ),
    "jira": _words(
        """
        jql  fields  maxResults  nextPageToken  expand  startAt  query  accountId  issueKey  project  projectKeys
        orderBy  permissions  reconcileIssues  start  limit  property  keys  username  key  failFast  validation
        typeId  deleteSubtasks  sessionId  action  groupname
        """
    ),
    "airtable": _words(
        """
        filterByFormula  offset  pageSize  maxRecords  fields[]  sort[0][field]  sort[0][direction]
        sort[999999999999999999999][field]  sort[²][field]  view  cellFormat  timeZone  userLocale
        returnFieldsByFieldId  recordMetadata[]  records[]  cursor  limit  include  include[]
        """
    ),
}
HEADERS = _words(
    """
    if-modified-since  if-unmodified-since  if-match  if-none-match  sforce-query-options  content-type
    sforce-duplicate-rule-header  accept  host  x-experimentalapi  soapaction  accept-language  x-prettyprint
    """
)
