-- economic-status: whoever was disadvantaged by any sign in any year of the window
WITH signs AS (
    SELECT person_id, school_year FROM program
    WHERE program_code IN (SELECT value FROM parameters WHERE name = 'program_code')
    UNION
    SELECT person_id, school_year FROM assessment
    WHERE economic_disadvantage IN (SELECT value FROM parameters WHERE name = 'flag')
    UNION
    SELECT person_id, school_year FROM demographics
    WHERE kind = 'k12' AND parent_education IN (SELECT value FROM parameters WHERE name = 'parent_education')
)
SELECT DISTINCT c.person_id, c.cohort_year, 'disadvantaged' AS level
FROM cohort AS c
JOIN signs AS s ON s.person_id = c.person_id AND s.school_year BETWEEN c.first_year AND c.last_year
