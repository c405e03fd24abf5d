-- programme: taking part in any programme up to the end of the window
WITH observed AS (
    SELECT MIN(school_year) AS first_year FROM programme
),
took_part AS (
    SELECT DISTINCT c.person_id, c.cohort_year
    FROM cohort AS c
    JOIN programme AS p ON p.person_id = c.person_id AND p.school_year <= c.last_year
)
SELECT c.person_id, c.cohort_year,
    CASE
        WHEN o.first_year IS NULL OR c.last_year < o.first_year THEN 'unknown'
        WHEN t.person_id IS NOT NULL THEN 'took-part'
        ELSE 'no-record'
    END AS level
FROM cohort AS c
CROSS JOIN observed AS o
LEFT JOIN took_part AS t ON t.person_id = c.person_id AND t.cohort_year = c.cohort_year
