-- school-level: the level of the latest enrollment of the cohort year
WITH reports AS (
    SELECT c.person_id, c.cohort_year, l.level,
        ROW_NUMBER() OVER (PARTITION BY c.person_id, c.cohort_year ORDER BY e.start_date DESC, l.level) AS place
    FROM cohort AS c
    JOIN enrollment AS e ON e.person_id = c.person_id AND e.school_year = c.last_year
    JOIN levels AS l ON l.code = e.grade
)
SELECT person_id, cohort_year, level FROM reports WHERE place = 1
