-- first-college-type: the first enrollment after the first completion; nothing is said of who is blocked or not looked for
WITH completions AS (
    SELECT person_id, MIN(exit_date) AS completed_on
    FROM enrollment
    WHERE exit_reason IN (SELECT value FROM parameters WHERE name = 'completer_exit')
        AND completion_status IN (SELECT value FROM parameters WHERE name = 'completer_codes')
    GROUP BY person_id
),
searches AS (
    SELECT c.person_id, c.cohort_year, s.result,
        ROW_NUMBER() OVER (
            PARTITION BY c.person_id, c.cohort_year
            ORDER BY s.searched_on DESC, CASE s.result WHEN 'blocked' THEN 1 ELSE 2 END
        ) AS place
    FROM cohort AS c
    JOIN college_search AS s ON s.person_id = c.person_id
),
colleges AS (
    SELECT c.person_id, c.cohort_year, l.level,
        ROW_NUMBER() OVER (
            PARTITION BY c.person_id, c.cohort_year ORDER BY n.begin_date, l.level DESC
        ) AS place
    FROM cohort AS c
    JOIN completions AS d ON d.person_id = c.person_id
    JOIN college_enrollment AS n ON n.person_id = c.person_id AND n.begin_date > d.completed_on
    JOIN levels AS l ON l.code = n.college_type
)
SELECT s.person_id, s.cohort_year, COALESCE(n.level, 'none') AS level
FROM searches AS s
LEFT JOIN colleges AS n ON n.person_id = s.person_id AND n.cohort_year = s.cohort_year AND n.place = 1
WHERE s.place = 1 AND s.result NOT IN (SELECT value FROM parameters WHERE name = 'blocked')
