-- college_going: the columns of completers, and outcome; only classes whose window had closed at the last search
WITH frame AS (
    SELECT (SELECT CAST(MAX(value) AS INTEGER) FROM parameters WHERE name = 'enrollment_months') AS months,
        MAX(372 * EXTRACT(YEAR FROM searched_on) + 31 * EXTRACT(MONTH FROM searched_on) + EXTRACT(DAY FROM searched_on)) AS last_day
    FROM college_search
),
cohort AS (
    SELECT c.person_id, c.cohort_year, c.district, c.completed_on, c.completed_day, c.class_closes_day,
        c.completed_day + 31 * f.months AS closes_day
    FROM completers AS c
    CROSS JOIN frame AS f
    WHERE c.class_closes_day + 31 * f.months <= f.last_day
),
searches AS (
    SELECT c.person_id, s.result,
        ROW_NUMBER() OVER (
            PARTITION BY c.person_id
            ORDER BY s.searched_on DESC, CASE s.result WHEN 'blocked' THEN 1 WHEN 'found' THEN 2 ELSE 3 END
        ) AS place
    FROM cohort AS c
    JOIN college_search AS s ON s.person_id = c.person_id
    WHERE 372 * EXTRACT(YEAR FROM s.searched_on) + 31 * EXTRACT(MONTH FROM s.searched_on) + EXTRACT(DAY FROM s.searched_on)
        >= c.closes_day
),
enrolled AS (
    SELECT DISTINCT c.person_id
    FROM cohort AS c
    JOIN college_enrollment AS n ON n.person_id = c.person_id
    WHERE n.begin_date > c.completed_on
        AND 372 * EXTRACT(YEAR FROM n.begin_date) + 31 * EXTRACT(MONTH FROM n.begin_date) + EXTRACT(DAY FROM n.begin_date)
            <= c.closes_day
)
SELECT c.person_id, c.cohort_year, c.district, c.completed_on, c.completed_day, c.class_closes_day,
    CASE
        WHEN s.result IS NULL OR s.result IN (SELECT value FROM parameters WHERE name = 'blocked') THEN 'unknown'
        WHEN n.person_id IS NOT NULL THEN 'yes'
        WHEN s.result IN (SELECT value FROM parameters WHERE name = 'not_found')
            THEN (SELECT MAX(value) FROM parameters WHERE name = 'not_found_outcome')
        ELSE 'no'
    END AS outcome
FROM cohort AS c
LEFT JOIN searches AS s ON s.person_id = c.person_id AND s.place = 1
LEFT JOIN enrolled AS n ON n.person_id = c.person_id
